/** Checks questions of people and programs. A question that no peer would take is answered here, in words. */
import * as v from "valibot";
import type { Notice } from "../../core/reports.ts";
import { QUESTION } from "../../wire/client-schemas.ts";
import { refuseName } from "../own-person.ts";
import type { OwnQuestion } from "../service.ts";

/** Why the question cannot be asked, or null. */
export function refuseQuestion(question: OwnQuestion): Notice | null {
  if (question.what === "nick") return refuseName(question.user, false);
  const result = v.safeParse(QUESTION, question, { abortEarly: true });
  if (result.success) return null;
  const [issue] = result.issues;
  const message = `the question cannot be asked: its ${v.getDotPath(issue) ?? "form"} is wrong (${issue.message})`;
  return { event: "error", code: "command", message };
}

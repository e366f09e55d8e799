/** `chatpeer completions SHELL`: a script that teaches the shell the commands, their flags, and what these may be. */
import { type Command, flagsOf } from "./command.ts";
import type { Flag } from "./flag.ts";
import { oneOf, UsageError } from "./flag-values.ts";
import { flagWords } from "./help.ts";

const SHELLS = ["bash", "zsh", "fish"] as const;

/** `all` is called when the command runs: the list holds this command, too. */
export function completionsCommand(all: () => readonly Command[]): Command {
  return {
    name: "completions",
    words: "bash|zsh|fish",
    completes: SHELLS,
    purpose: "print a script that completes commands, flags and values in a shell",
    flags: [],
    examples: [
      {
        command: "source <(chatpeer completions bash)",
        what: "In ~/.bashrc; for zsh the same with zsh, in ~/.zshrc behind compinit",
      },
      { command: "chatpeer completions fish > ~/.config/fish/completions/chatpeer.fish", what: "For fish, once" },
    ],
    exits: { 0: "printed" },
    run({ words: [shell, ...more], out }) {
      if (shell === undefined || more.length > 0)
        throw new UsageError("completions needs the name of a shell: chatpeer completions bash");
      out.write(completionScript(oneOf("the shell", shell, SHELLS), all()));
      return 0;
    },
  };
}

export function completionScript(shell: (typeof SHELLS)[number], all: readonly Command[]): string {
  const lines = { bash: bashScript, zsh: zshScript, fish: fishScript }[shell](all);
  return `${lines.join("\n")}\n`;
}

function named(all: readonly Command[]): readonly Command[] {
  return all.filter((command) => command.name !== "");
}

// ── bash ───────────────────────────────────────────────────────────────────────────────────────────────────────────

function bashScript(all: readonly Command[]): string[] {
  const names = named(all).map((command) => command.name);
  return [
    "# bash completion for chatpeer: source <(chatpeer completions bash)",
    "_chatpeer() {",
    // biome-ignore lint/suspicious/noTemplateCurlyInString: it is the shell that fills it in
    "  local IFS=$'\\n' cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} command=''",
    "  # Bash takes --flag=value for three words.",
    // biome-ignore lint/suspicious/noTemplateCurlyInString: it is the shell that fills it in
    "  if [[ $cur == '=' ]]; then cur=''; elif [[ $prev == '=' ]]; then prev=${COMP_WORDS[COMP_CWORD-2]}; fi",
    `  if (( COMP_CWORD > 1 )); then case \${COMP_WORDS[1]} in ${names.join("|")}) command=\${COMP_WORDS[1]} ;; esac; fi`,
    "  COMPREPLY=()",
    '  case "$command $prev" in',
    ...all.flatMap((command) =>
      flagsOf(command)
        .filter((flag) => flag.value !== null)
        .map(
          (flag) =>
            `    '${command.name} --${flag.name}') ${bashReply(flag.completes ?? flag.choices ?? [])}; return ;;`,
        ),
    ),
    "  esac",
    '  if [[ $cur == -* ]]; then case "$command" in',
    ...all.map((command) => `    '${command.name}') ${bashReply(flagsOf(command).map((flag) => `--${flag.name}`))} ;;`),
    "  esac; elif (( COMP_CWORD == 1 )); then",
    `    ${bashReply(names)}`,
    '  else case "$command" in',
    ...named(all).map((command) => `    '${command.name}') ${bashReply(command.completes ?? [])} ;;`),
    "  esac; fi",
    "}",
    "complete -F _chatpeer chatpeer",
  ];
}

/** Fills the reply with what begins like the word under the cursor. */
function bashReply(completes: "file" | "directory" | readonly string[]): string {
  if (completes.length === 0) return ":";
  const what = typeof completes === "string" ? (completes === "file" ? "-f" : "-d") : `-W $'${completes.join("\\n")}'`;
  // compopt lets bash quote spaces and put a slash behind a directory; bash before version 4 does not have it.
  const files = typeof completes === "string" ? "compopt -o filenames 2>/dev/null; " : "";
  return `${files}COMPREPLY=($(compgen ${what} -- "$cur"))`;
}

// ── zsh ────────────────────────────────────────────────────────────────────────────────────────────────────────────

function zshScript(all: readonly Command[]): string[] {
  return [
    "#compdef chatpeer",
    "# zsh completion for chatpeer: source <(chatpeer completions zsh), behind compinit",
    "_chatpeer() {",
    "  local -a commands",
    "  commands=(",
    ...named(all).map(({ name, purpose }) => `    ${quoted(`${name}:${purpose.replaceAll(":", "\\:")}`)}`),
    "  )",
    "  if (( CURRENT == 2 )) && [[ $words[2] != -* ]]; then",
    "    _describe command commands",
    "    return",
    "  fi",
    "  case $words[2] in",
    ...named(all).flatMap((command) => [
      `    ${command.name})`,
      "      shift words",
      "      (( CURRENT-- ))",
      `      _arguments -S ${zshArguments(command).join(" \\\n        ")}`,
      "      ;;",
    ]),
    "    *)",
    ...all
      .filter((command) => command.name === "")
      .map((chat) => `      _arguments -S ${zshArguments(chat).join(" \\\n        ")}`),
    "      ;;",
    "  esac",
    "}",
    'if [[ $funcstack[1] == _chatpeer ]]; then _chatpeer "$@"; else compdef _chatpeer chatpeer; fi',
  ];
}

function zshArguments(command: Command): string[] {
  const escaped = (text: string) => text.replace(/[[\]:\\]/g, "\\$&");
  const action = (completes: Command["completes"]): string => {
    if (completes === undefined) return " ";
    if (typeof completes !== "string") return `(${completes.join(" ")})`;
    return completes === "file" ? "_files" : "_files -/";
  };
  const flags = flagsOf(command).map((flag) => {
    const { name, value, repeats } = flag;
    const what = `${repeats ? "*" : ""}--${name}${value === null ? "" : "="}[${escaped(flagWords(flag))}]`;
    return quoted(value === null ? what : `${what}:${escaped(value)}:${action(flag.completes ?? flag.choices)}`);
  });
  // zsh offers no flags behind words that the specification does not name.
  return command.words === "" ? flags : [...flags, quoted(`*:${escaped(command.words)}:${action(command.completes)}`)];
}

// ── fish ───────────────────────────────────────────────────────────────────────────────────────────────────────────

function fishScript(all: readonly Command[]): string[] {
  const names = named(all).map((command) => command.name);
  return [
    "# fish completion for chatpeer: chatpeer completions fish > ~/.config/fish/completions/chatpeer.fish",
    "complete -c chatpeer -f",
    ...named(all).map(
      ({ name, purpose }) => `complete -c chatpeer -n __fish_is_first_arg -a ${name} -d ${quoted(purpose)}`,
    ),
    ...all.flatMap((command) => {
      const seen = `__fish_seen_subcommand_from ${command.name === "" ? names.join(" ") : command.name}`;
      const when = `complete -c chatpeer -n ${quoted(command.name === "" ? `not ${seen}` : seen)}`;
      const flags = flagsOf(command).map(
        (flag) => `${when} -l ${flag.name}${fishValue(flag)} -d ${quoted(flagWords(flag))}`,
      );
      return command.completes === undefined ? flags : [...flags, `${when} ${fishOffer(command.completes)}`];
    }),
  ];
}

function fishValue({ value, completes, choices }: Flag): string {
  if (value === null) return "";
  const offer = completes ?? choices;
  return offer === undefined ? " -x" : ` -r ${fishOffer(offer)}`;
}

function fishOffer(completes: NonNullable<Command["completes"]>): string {
  if (completes === "file") return "-F";
  return `-f -a ${quoted(completes === "directory" ? "(__fish_complete_directories)" : completes.join(" "))}`;
}

/** For all three shells: nothing inside is special, and a quote is spelled with a typographic one. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", "’")}'`;
}

/** Hands on the diagram and the overview: dragging, pointing, the wheel. */
import { byId } from "./dom.ts";
import type { Picture } from "./picture.ts";
import type { Run } from "./run.ts";
import { GUTTER, type View } from "./time-view.ts";

/** A press that moves less far is a click, in pixels. */
const CLICK_PX = 4;
const LINE_PX = 16;
/** Largest turn of the wheel, in pixels, and the zoom of each pixel. */
const TURN_MAX = 240;
const ZOOM_PER_PX = 0.0022;

interface Drag<T> {
  /** Its result is passed to `move` and `release`. */
  readonly press: (e: PointerEvent) => T;
  /** `dx`: pixels since the press. */
  readonly move: (dx: number, start: T) => void;
  readonly release?: (start: T) => void;
}

/** Follows one pointer from press to release. */
function onDrag<T>(node: HTMLElement, { press, move, release }: Drag<T>): void {
  let drag: { readonly startX: number; readonly start: T } | null = null;
  const end = (): void => {
    if (drag !== null) release?.(drag.start);
    drag = null;
  };
  node.addEventListener("pointerdown", (e) => {
    if (e.button !== 0) return;
    drag = { startX: e.clientX, start: press(e) };
    node.setPointerCapture(e.pointerId);
  });
  node.addEventListener("pointermove", (e) => {
    if (drag !== null) move(e.clientX - drag.startX, drag.start);
  });
  node.addEventListener("pointerup", end);
  node.addEventListener("pointercancel", end);
}

export function watchPlot(run: Run, view: View, picture: Picture): void {
  const plot = byId("plot");
  const drag = (dragging: boolean): void => {
    view.dragging = dragging;
    plot.classList.toggle("dragging", dragging);
  };
  onDrag(plot, {
    press: () => {
      view.halt();
      return { t0: view.t0, t1: view.t1 };
    },
    move: (dx, { t0, t1 }) => {
      if (Math.abs(dx) < CLICK_PX && !view.dragging) return;
      drag(true);
      const by = (-dx / (view.width - GUTTER)) * (t1 - t0);
      view.show(t0 + by, t1 + by);
    },
    release: () => {
      if (view.dragging) return drag(false);
      const { pointer } = view;
      if (pointer === null || pointer.px <= GUTTER) return view.letGo();
      const hit = picture.hit();
      view.pin(
        hit === null
          ? view.within(view.timeAt(pointer.px))
          : hit.kind === "mark"
            ? hit.event.atMs
            : (run.sent[hit.i] as number),
      );
    },
  });

  const follow = (pointer: View["pointer"]): void => {
    view.pointer = pointer;
    if (!view.pinned && pointer !== null && pointer.px > GUTTER) view.cursor = view.within(view.timeAt(pointer.px));
    picture.followPointer();
  };
  const point = (e: PointerEvent): void => {
    const box = plot.getBoundingClientRect();
    follow({ px: e.clientX - box.left, py: e.clientY - box.top });
  };
  plot.addEventListener("pointerdown", point);
  plot.addEventListener("pointermove", point);
  plot.addEventListener("pointerleave", () => follow(null));

  const turn = (e: WheelEvent): void => {
    e.preventDefault();
    const unit = e.deltaMode === WheelEvent.DOM_DELTA_LINE ? LINE_PX : 1;
    const [dx, dy] = [e.deltaX * unit, e.deltaY * unit];
    if (e.shiftKey || Math.abs(dx) > Math.abs(dy)) return view.pan((dx || dy) / (view.width - GUTTER));
    const at = view.timeAt(Math.max(e.clientX - plot.getBoundingClientRect().left, GUTTER));
    view.zoom(Math.exp(Math.max(-TURN_MAX, Math.min(TURN_MAX, dy)) * ZOOM_PER_PX), at);
  };
  plot.addEventListener("wheel", turn, { passive: false });
}

/** The window on the overview: its middle moves it, its edges zoom, and a press beside it brings it there. */
export function watchOverview(view: View): void {
  const [overview, grips] = [byId("overview"), [...byId("window").children]];
  onDrag(overview, {
    press: (e) => {
      view.halt();
      [view.pinned, view.pointer] = [false, null];
      const perPx = (view.high - view.low) / overview.clientWidth;
      if (e.target === byId("strip")) {
        const at = view.low + (e.clientX - overview.getBoundingClientRect().left) * perPx;
        view.show(at - view.span / 2, at + view.span / 2);
      }
      const [left, right] = grips.map((grip) => grip === e.target) as [boolean, boolean];
      return { t0: view.t0, t1: view.t1, perPx, left, right };
    },
    move: (dx, { t0, t1, perPx, left, right }) => {
      const by = dx * perPx;
      if (left) view.show(Math.min(t0 + by, t1 - view.shortest), t1);
      else if (right) view.show(t0, Math.max(t1 + by, t0 + view.shortest));
      else view.show(t0 + by, t1 + by);
    },
  });
}

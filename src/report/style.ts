/** The page of a simulated run: the overview, the diagram, and beside them the verdict and the list of what is near. */
export const REPORT_STYLE = `
html, body { height: 100%; margin: 0; }
body { display: grid; grid-template-rows: auto auto minmax(0, 1fr); min-height: 560px; font-size: 13px; line-height: 1.45; }
button, input { font: inherit; color: inherit; }
header { display: flex; flex-wrap: wrap; gap: 8px 14px; align-items: center; padding: 12px 18px 8px; }
header div { flex: 1 1 360px; min-width: 0; }
header p.keys { display: flex; gap: 6px; align-items: center; margin: 0; }
h1 { font-size: 18px; line-height: 1.3; font-weight: 650; margin: 0; overflow-wrap: anywhere; }
#facts { margin: 1px 0 0; color: var(--soft); font-variant-numeric: tabular-nums; }
.badge { flex: none; }
#filters { display: contents; }
nav { display: flex; flex-wrap: wrap; gap: 6px; align-items: center; padding: 2px 18px 10px; }
.chip { display: inline-flex; align-items: center; gap: 6px; padding: 2px 9px 2px 7px; border: 1px solid var(--line); border-radius: 99px; background: var(--panel);
  cursor: pointer; font-size: 12px; user-select: none; }
.chip:not(:has(:checked)) { color: var(--faint); background: none; }
.chip input { appearance: none; width: 10px; height: 10px; margin: 0; border-radius: 3px; border: 2px solid var(--c); cursor: pointer; }
.chip input:checked { background: var(--c); }
.chip b { font-weight: 500; color: var(--faint); font-variant-numeric: tabular-nums; }
.key { min-width: 28px; padding: 2px 8px; border: 1px solid var(--line); border-radius: 6px; background: var(--panel); cursor: pointer; }
.key:hover, .chip:hover { border-color: var(--faint); }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 1px; }
#at { min-width: 132px; text-align: right; font-weight: 650; font-variant-numeric: tabular-nums; }
main { display: grid; grid-template-columns: minmax(0, 1fr) 348px; gap: 12px; padding: 0 18px 14px; min-height: 0; }
#stage { display: flex; flex-direction: column; gap: 8px; min-height: 0; min-width: 0; }
#overview { position: relative; flex: none; height: 66px; overflow: hidden; touch-action: none; cursor: pointer; }
#plot { position: relative; flex: 1; min-height: 260px; overflow: hidden; touch-action: none; cursor: crosshair; }
#plot.dragging { cursor: grabbing; }
canvas { position: absolute; inset: 0; width: 100%; height: 100%; }
#over { pointer-events: none; }
#window { position: absolute; top: 0; bottom: 0; left: 0; border: 2px solid var(--accent); border-radius: 6px; cursor: grab;
  box-shadow: 0 0 0 4000px color-mix(in srgb, var(--bg) 48%, transparent); }
#window i { position: absolute; top: 0; bottom: 0; width: 12px; cursor: ew-resize; }
#window i::after { content: ""; position: absolute; top: 35%; bottom: 35%; left: 4px; width: 4px; border-radius: 2px; background: var(--accent); }
#window i:first-child { left: -7px; } #window i:last-child { right: -7px; }
#tip { position: absolute; z-index: 3; max-width: 340px; padding: 7px 10px; pointer-events: none; background: var(--panel); border: 1px solid var(--faint);
  border-radius: 8px; box-shadow: 0 4px 18px #0003; font-size: 12px; overflow-wrap: anywhere; }
#tip b { display: block; } #tip span { display: block; color: var(--soft); }
#legend { display: flex; flex-wrap: wrap; gap: 3px 15px; color: var(--soft); font-size: 12px; padding: 0 2px; }
#legend span { display: inline-flex; align-items: center; gap: 5px; white-space: nowrap; }
#legend svg { flex: none; } #legend .term { width: 18px; height: 6px; border-radius: 3px; }
aside { display: flex; flex-direction: column; gap: 10px; min-height: 0; }
#verdict { flex: none; max-height: 48%; overflow: auto; padding: 12px 14px; border-top: 4px solid var(--unsure); }
#verdict.good { border-top-color: var(--good); } #verdict.bad { border-top-color: var(--bad); }
#verdict h2, #near h2 { font-size: 13px; margin: 0; font-weight: 650; }
#verdict p { margin: 6px 0 0; color: var(--soft); overflow-wrap: anywhere; }
#steps { list-style: none; margin: 8px 0 0; padding: 0; }
#steps li > * { display: flex; gap: 8px; width: 100%; padding: 2px 5px; border: 0; border-radius: 5px; background: none; text-align: left; overflow-wrap: anywhere; }
#steps button { cursor: pointer; } #steps button:hover, #list div:hover { background: var(--row); }
#steps time, #list time { flex: none; width: 66px; text-align: right; color: var(--accent); font-variant-numeric: tabular-nums; }
#near { flex: 1; min-height: 150px; display: flex; flex-direction: column; overflow: hidden; }
#near h2 { padding: 10px 14px 6px; } #near h2 small { font-weight: 400; color: var(--soft); }
#list { flex: 1; overflow: auto; padding: 0 8px 8px; font-size: 12px; }
#list div { display: flex; gap: 8px; padding: 1px 5px; border-radius: 5px; cursor: pointer; }
#list div.past { opacity: .62; } #list div.now { border-top: 2px solid var(--accent); border-radius: 0; }
#list i { flex: none; width: 4px; border-radius: 2px; background: var(--c); }
#list p { margin: 0; min-width: 0; overflow-wrap: anywhere; unicode-bidi: isolate; } #list p small { margin-left: 6px; color: var(--soft); font-size: 12px; }
[hidden] { display: none !important; }
@media (max-width: 900px) { body { display: block; } main { grid-template-columns: minmax(0, 1fr); } #plot { height: 60vh; flex: none; } #near { height: 320px; flex: none; } }
`;

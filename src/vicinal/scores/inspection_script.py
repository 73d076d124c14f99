"""How the page of an inspection looks and moves: its style and its script, which read what the page holds.

The script builds elements from text, never markup, and fetches nothing.
"""

__all__ = ["SCRIPT", "STYLE"]

STYLE = """
:root { --ink: #22303c; --muted: #5d6b78; --rule: #e6e3dc; --paper: #fbfaf7; --card: #fff;
  --blue: #1f6f8b; --gold: #e0a52e; }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.5 system-ui, sans-serif;
  font-variant-numeric: tabular-nums; }
main { max-width: 1080px; margin: 0 auto; padding: 36px 24px 60px; }
h1 { font-size: 30px; line-height: 1.2; letter-spacing: -.015em; margin: 0 0 8px; }
.soft { color: var(--muted); font-size: 14px; margin: 0; overflow-wrap: anywhere; }
.totals { display: grid; grid-template-columns: repeat(auto-fit, minmax(150px, 1fr)); gap: 16px; margin: 22px 0; }
.totals div { border-left: 3px solid var(--blue); padding-left: 12px; }
.totals b { display: block; font-size: 22px; line-height: 1.2; } .totals span { color: var(--muted); font-size: 13px; }
#view { position: sticky; top: 0; z-index: 2; background: var(--card); border: 1px solid var(--rule);
  border-radius: 12px; padding: 12px 14px; margin: 22px 0 10px; box-shadow: 0 4px 14px #22303c14; }
#said { margin: 0 0 6px; font-size: 15px; min-height: 1.5em; } #said b { color: var(--blue); }
svg { display: block; width: 100%; }
polyline { fill: none; stroke: var(--ink); stroke-width: 1.1; vector-effect: non-scaling-stroke; }
#window { fill: var(--gold); fill-opacity: .28; stroke: var(--gold); vector-effect: non-scaling-stroke; }
.ends { display: flex; justify-content: space-between; color: var(--muted); font-size: 12px; }
.stage { padding: 12px 14px 8px; border: 1px solid transparent; border-bottom-color: var(--rule); }
.stage.chosen { background: var(--card); border-color: var(--gold); border-radius: 10px; }
.head { display: flex; flex-wrap: wrap; justify-content: space-between; gap: 0 18px; }
code { font: 14px/1.5 ui-monospace, Menlo, Consolas, "DejaVu Sans Mono", monospace; overflow-wrap: anywhere; }
.band { position: relative; height: 6px; margin: 7px 0 2px; background: #ece8df; border-radius: 3px; overflow: hidden; }
.band i { position: absolute; top: 0; bottom: 0; min-width: 2px; background: var(--gold); border-radius: 3px; }
input { width: 100%; margin: 0; height: 26px; accent-color: var(--blue); }
.picture { max-height: 300px; image-rendering: pixelated; border-radius: 4px; }
.picture #window { fill-opacity: 0; stroke-width: 3; }
.stage .picture { max-height: 110px; }
.units { display: flex; flex-wrap: wrap; gap: 6px; margin: 8px 0 4px; align-items: center; }
button { font: inherit; font-size: 13px; color: var(--ink); background: var(--card); border: 1px solid #cfd6db;
  border-radius: 999px; padding: 3px 11px; cursor: pointer; }
button b { color: var(--blue); } button span { color: var(--muted); }
button:hover, button:focus-visible { border-color: var(--blue); outline: none; }
button[aria-pressed=true] { background: var(--blue); border-color: var(--blue); color: #fff; }
button[aria-pressed=true] b, button[aria-pressed=true] span { color: #fff; }
.gives { margin: 6px 0 0; } .gives svg { height: 40px; } .gives polyline { stroke: var(--blue); }
.cards { display: grid; grid-template-columns: repeat(auto-fit, minmax(140px, 1fr)); gap: 12px; margin: 10px 0 6px; }
.card { background: var(--paper); border: 1px solid var(--rule); border-radius: 8px; padding: 9px 11px; min-width: 0;
  max-width: 260px; }
.card p { margin: 0; font-size: 12px; color: var(--muted); overflow-wrap: anywhere; }
.card p b { color: var(--ink); font-size: 13px; } .card svg { margin: 5px 0; }
.card polyline { stroke-width: 1.3; }
.card .picture { margin: 6px auto; display: block; width: 100%; object-fit: contain; }
@media (max-width: 600px) { main { padding: 22px 14px 40px; } h1 { font-size: 24px; } #view { padding: 10px; }
  .totals { grid-template-columns: 1fr 1fr; } .stage { padding: 10px 8px 6px; }
  #said { font-size: 14px; min-height: 3em; } .cards { gap: 8px; } .card { padding: 7px 8px; } }
"""

SCRIPT = """
const data = JSON.parse(document.getElementById("data").textContent);
const stages = [...document.querySelectorAll(".stage")];
const space = document.querySelector("svg").namespaceURI, time = data.sizes.length === 1;
function make(name, facts, ...inside) {
  const made = document.createElement(name);
  Object.entries(facts).forEach(([key, value]) => made.setAttribute(key, value));
  made.append(...inside);
  return made;
}
function drawing(lines, height, [left, right]) {
  const svg = document.createElementNS(space, "svg");
  svg.setAttribute("viewBox", `0 0 1000 ${height * lines.length}`);
  svg.setAttribute("preserveAspectRatio", "none");
  svg.style.height = height * lines.length + "px";
  lines.forEach((line, k) => {
    const bytes = atob(line), n = Math.max(bytes.length, 2), points = [];
    for (let j = 0; j < n; j++) {
      const x = left + (right - left) * j / (n - 1), up = bytes.charCodeAt(Math.min(j, bytes.length - 1)) / 255;
      points.push(`${x.toFixed(1)},${(height * (k + 1) - 2 - (height - 4) * up).toFixed(1)}`);
    }
    const drawn = document.createElementNS(space, "polyline");
    drawn.setAttribute("points", points.join(" "));
    svg.append(drawn);
  });
  return svg;
}
function spans(window) {
  if (!time) return `rows ${window[0][0]} to ${window[0][1] - 1}, columns ${window[1][0]} to ${window[1][1] - 1}`;
  const [start, stop] = window[0];
  const seconds = data.rate_hz ? `, ${(start / data.rate_hz).toFixed(3)} to ${(stop / data.rate_hz).toFixed(3)} s` : "";
  return `${stop - start} samples, ${start} to ${stop - 1}${seconds}`;
}
function mark(k, window) {
  const band = stages[k].querySelector("i"), part = 100 / data.sizes[0];
  if (!band) return;
  band.style.left = window[0][0] * part + "%"; band.style.width = (window[0][1] - window[0][0]) * part + "%";
}
function sight(k, place, window) {
  mark(k, window);
  const box = document.getElementById("window"), across = window[window.length - 1];
  const scale = data.width / data.sizes[data.sizes.length - 1];
  box.setAttribute("x", across[0] * scale);
  box.setAttribute("width", (across[1] - across[0]) * scale);
  if (!time) { box.setAttribute("y", window[0][0]); box.setAttribute("height", window[0][1] - window[0][0]); }
  const stage = data.stages[k], unit = stage.units && stage.units[stage.unit];
  const name = make("b", {}, stage.text), here = unit && unit.gives && String(place) === String(unit.peak);
  document.getElementById("said").replaceChildren(name, ` ${stage.word} ${place.join(", ")} of ${stage.n} sees ` +
    spans(window) + (here ? `; unit ${unit.name} is strongest there on this ${data.kind}, ${unit.gives}` : ""));
}
function select(k) { stages.forEach((one, j) => one.classList.toggle("chosen", j === k)); }
function slide(k) {
  select(k);
  const stage = data.stages[k], at = +stages[k].querySelector("input").value;
  sight(k, stage.places[at], stage.windows[at]);
}
function nearest(stage, place) {
  const off = stage.places.map(one => one.reduce((sum, at, axis) => sum + Math.abs(at - place[axis]), 0));
  return off.indexOf(Math.min(...off));
}
function choose(k, u) {
  select(k);
  const stage = data.stages[k], unit = stage.units[u], panel = stages[k].querySelector(".panel");
  stage.unit = u;
  stages[k].querySelectorAll("button").forEach((one, j) => one.setAttribute("aria-pressed", j === u));
  const cards = unit.snippets.map(one => make("div", {class: "card"},
    make("p", {}, make("b", {}, one.value), one.labels ? " \u00b7 " + one.labels : ""),
    one.image ? make("img", {class: "picture", src: one.image, alt: "what the unit sees"})
              : drawing(one.lines, Math.max(14, 64 / one.lines.length), [0, 1000]),
    make("p", {}, one.id), make("p", {}, one.where)));
  const gives = unit.line ? make("div", {class: "gives"}, make("p", {class: "soft"},
      `What unit ${unit.name} gives along the ${data.kind} above; below, where else it is excited most:`),
      drawing([unit.line], 40, stage.span.map(at => 1000 * at / data.sizes[0])))
    : make("p", {class: "soft"}, unit.map
      ? `What unit ${unit.name} gives over the image above, and where it is excited most:`
      : `Where unit ${unit.name} is excited most:`);
  if (unit.map) cards.unshift(make("div", {class: "card"}, make("p", {}, "over the image above"),
    make("img", {class: "picture", src: unit.map, alt: "what the unit gives"})));
  panel.replaceChildren(gives, make("div", {class: "cards"}, ...cards));
  if (!unit.peak) return slide(k);
  stages[k].querySelector("input").value = nearest(stage, unit.peak);
  sight(k, unit.peak, unit.window);
}
stages.forEach((one, k) => {
  const input = one.querySelector("input");
  mark(k, data.stages[k].windows[+input.value]);
  input.addEventListener("input", () => slide(k));
  one.addEventListener("click", event => {
    const button = event.target.closest("button");
    if (button) choose(k, +button.dataset.unit);
    else if (!one.classList.contains("chosen")) slide(k);
  });
});
const first = data.stages[data.first];
if (first.units && first.units.length) choose(data.first, 0); else slide(data.first);
"""

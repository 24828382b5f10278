"use strict";
// Drawings with the same data-zoom name are moved and zoomed together.
const views = {};
document.querySelectorAll("svg[data-zoom]").forEach((svg) => {
  const name = svg.dataset.zoom;
  const [, , width, height] = svg.getAttribute("viewBox").split(" ").map(Number);
  views[name] = views[name] || { all: [0, 0, width, height], now: [0, 0, width, height], svgs: [] };
  views[name].svgs.push(svg);
});

function show(view) {
  const [, , width, height] = view.all;
  const now = view.now;
  now[0] = Math.min(Math.max(now[0], 0), width - now[2]);
  now[1] = Math.min(Math.max(now[1], 0), height - now[3]);
  view.svgs.forEach((svg) => svg.setAttribute("viewBox", now.join(" ")));
}

function zoom(view, by, x = 0.5, y = 0.5) {
  if (!by) view.now = view.all.slice();
  const [left, top, width, height] = view.now;
  const wide = by ? Math.min(Math.max(width * by, view.all[2] / 60), view.all[2]) : width;
  const high = (wide / width) * height;
  view.now = [left + (width - wide) * x, top + (height - high) * y, wide, high];
  show(view);
}

Object.values(views).forEach((view) => view.svgs.forEach((svg) => {
  let from = null;
  svg.addEventListener("pointerdown", (event) => { from = [event.clientX, event.clientY]; svg.setPointerCapture(event.pointerId); });
  svg.addEventListener("pointerup", () => { from = null; });
  svg.addEventListener("pointermove", (event) => {
    if (!from) return;
    const scale = view.now[2] / svg.clientWidth;
    view.now[0] -= (event.clientX - from[0]) * scale;
    view.now[1] -= (event.clientY - from[1]) * scale;
    from = [event.clientX, event.clientY];
    show(view);
  });
  svg.addEventListener("wheel", (event) => {
    if (!event.ctrlKey && !event.metaKey) return;
    event.preventDefault();
    const box = svg.getBoundingClientRect();
    const at = [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
    zoom(view, event.deltaY < 0 ? 0.8 : 1.25, ...at);
  }, { passive: false });
}));

document.querySelectorAll(".zoom button").forEach((button) => button.addEventListener("click", () => {
  zoom(views[button.closest("figure").querySelector("svg").dataset.zoom], Number(button.dataset.by));
}));

document.querySelectorAll("[data-layer]").forEach((box) => box.addEventListener("change", () => {
  box.closest("section").classList.toggle(`hide-${box.dataset.layer}`, !box.checked);
}));

// Flipping swaps the two pictures of each pair in place: what changed jumps to the eye.
document.querySelectorAll("[data-flip]").forEach((button) => button.addEventListener("click", () => {
  button.closest("section").querySelectorAll(".columns.n2").forEach((pair) => {
    const [one, other] = pair.querySelectorAll("figure");
    const [first, second] = [one, other].map((figure) => figure.querySelector("svg"));
    const mark = document.createComment("");
    first.replaceWith(mark);
    second.replaceWith(first);
    mark.replaceWith(second);
    ["h3", "figcaption"].forEach((name) => {
      const [a, b] = [one, other].map((figure) => figure.querySelector(name));
      [a.textContent, b.textContent] = [b.textContent, a.textContent];
    });
  });
}));

document.querySelectorAll(".keys [data-group]").forEach((key) => {
  const svg = key.closest("figure").querySelector("svg");
  const cells = svg.querySelectorAll(`[data-group="${key.dataset.group}"]`);
  const light = (on) => { svg.classList.toggle("dim", on); cells.forEach((cell) => cell.classList.toggle("lit", on)); };
  key.addEventListener("mouseenter", () => light(true));
  key.addEventListener("mouseleave", () => light(false));
});

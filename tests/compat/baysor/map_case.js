// Runs the script of a page with maps on stand-ins of a browser's elements, and tells what is drawn.
"use strict";
const fs = require("fs");
const page = fs.readFileSync(process.argv[2], "utf8");
const plain = (text) => text.replace(/&#34;|&quot;/g, '"').replace(/&#39;/g, "'").replace(/&amp;/g, "&");
const facts = [...page.matchAll(/class="molecule-map" data-group="(\w+)" data-map="([^"]*)"/g)];
const blocks = Object.fromEntries(
  [...page.matchAll(/<script type="application\/json" id="([\w-]+)">(.*?)<\/script>/gs)].map((m) => [m[1], { textContent: m[2] }]));
const script = fs.readFileSync(process.argv[3], "utf8");

function element(more = {}) {
  const heard = {};
  return { heard, addEventListener: (name, call) => { heard[name] = call; }, dataset: {}, textContent: "", ...more };
}

const boxes = facts.map(([, group, map]) => {
  const drawn = { image: null, rings: 0 };
  const context = new Proxy({}, {
    get: (_, name) => (...given) => {
      if (name === "clearRect") Object.assign(drawn, { image: null, rings: 0 });
      if (name === "drawImage") drawn.image = given.slice(1);
      if (name === "moveTo") drawn.rings += 1;
    },
    set: () => true,
  });
  const canvas = element({ clientWidth: 600, clientHeight: 400, getContext: () => context, setPointerCapture() {} });
  const whole = element({ dataset: { by: "0" } }), parts = { canvas, img: element({ complete: true }), ".told": element() };
  return { canvas, whole, drawn, told: parts[".told"], dataset: { group, map: plain(map) },
    querySelector: (what) => parts[what], querySelectorAll: (what) => (what === "button" ? [whole] : []) };
});
global.window = { devicePixelRatio: 1 };
global.document = { querySelectorAll: () => boxes, getElementById: (key) => blocks[key], activeElement: boxes[0].canvas };
global.requestAnimationFrame = (call) => call();
global.ResizeObserver = class { observe() {} };
(0, eval)(script);

const [first, second] = boxes, { heard } = first.canvas, told = [];
const look = (name) => told.push({ name, image: first.drawn.image, rings: first.drawn.rings, other: second.drawn.image });
look("whole");
heard.pointerdown({ clientX: 100, clientY: 100, pointerId: 1 });
heard.pointermove({ clientX: 150, clientY: 80 });
heard.pointerup({});
look("dragged");
for (let k = 0; k < 8; k++) heard.wheel({ deltaY: -1, offsetX: 200, offsetY: 150, preventDefault() {} });
look("zoomed");
first.whole.heard.click();
look("back");
const [x, y] = process.argv.slice(4).map(Number), [left, top, wide] = first.drawn.image, scale = wide / JSON.parse(first.dataset.map).width;
heard.pointermove({ offsetX: left + x * scale, offsetY: top + y * scale });
process.stdout.write(JSON.stringify({ looks: told, name: first.told.textContent }));
process.exit(0);

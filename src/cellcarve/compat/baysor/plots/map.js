"use strict";
// Maps: a picture of molecules beneath, outlines drawn as vectors above; maps of one group move together.
(() => {
  const blocks = {}, groups = {};

  function unpack(text, Kind) {
    const bytes = atob(text), out = new Uint8Array(bytes.length);
    for (let i = 0; i < bytes.length; i++) out[i] = bytes.charCodeAt(i);
    return new Kind(out.buffer);
  }

  // Vertices and the box of every ring, in pixels of the picture.
  function block(key) {
    if (blocks[key]) return blocks[key];
    const raw = JSON.parse(document.getElementById(key).textContent);
    const steps = unpack(raw.vertices, Uint16Array), starts = unpack(raw.starts, Uint32Array);
    const at = Float32Array.from(steps, (v) => v * raw.unit), rings = starts.length - 1;
    const box = new Float32Array(4 * rings);
    let size = 0;
    for (let r = 0; r < rings; r++) {
      let [l, t, R, b] = [1e9, 1e9, -1e9, -1e9];
      for (let k = starts[r]; k < starts[r + 1]; k++) {
        l = Math.min(l, at[2 * k]); R = Math.max(R, at[2 * k]);
        t = Math.min(t, at[2 * k + 1]); b = Math.max(b, at[2 * k + 1]);
      }
      box.set([l, t, R, b], 4 * r);
      size += Math.max(R - l, b - t) / rings;
    }
    return (blocks[key] = { at, starts, box, rings, size, names: raw.names });
  }

  function lines(context, view, data, colour) {
    const { left, top, scale, wide, high } = view;
    context.strokeStyle = colour;
    // Where cells are small on the screen, lines would cover all of the molecules.
    context.globalAlpha = Math.min(1, Math.max(0.1, (data.size * scale) / 25));
    context.lineWidth = Math.min(2, 0.6 + (data.size * scale) / 80);
    context.beginPath();
    for (let r = 0; r < data.rings; r++) {
      const b = 4 * r;
      if (data.box[b + 2] < left || data.box[b] > left + wide || data.box[b + 3] < top || data.box[b + 1] > top + high) continue;
      for (let k = data.starts[r]; k < data.starts[r + 1]; k++) {
        const x = (data.at[2 * k] - left) * scale, y = (data.at[2 * k + 1] - top) * scale;
        if (k === data.starts[r]) context.moveTo(x, y); else context.lineTo(x, y);
      }
    }
    context.stroke();
    context.globalAlpha = 1;
  }

  function under(data, x, y) {
    for (let r = 0; r < data.rings; r++) {
      const b = 4 * r;
      if (x < data.box[b] || x > data.box[b + 2] || y < data.box[b + 1] || y > data.box[b + 3]) continue;
      let inside = false;
      for (let k = data.starts[r], j = data.starts[r + 1] - 1; k < data.starts[r + 1]; j = k++) {
        const xk = data.at[2 * k], yk = data.at[2 * k + 1], xj = data.at[2 * j], yj = data.at[2 * j + 1];
        if ((yk > y) !== (yj > y) && x < ((xj - xk) * (y - yk)) / (yj - yk) + xk) inside = !inside;
      }
      if (inside) return r;
    }
    return -1;
  }

  function scaleBar(context, facts, scale, high) {
    const aim = (90 / scale) * facts.pixel, ten = 10 ** Math.floor(Math.log10(aim));
    const length = [5, 2, 1].map((s) => s * ten).find((s) => s <= aim), wide = (length / facts.pixel) * scale;
    context.fillStyle = "#fffc";
    context.fillRect(8, high - 34, wide + 12, 26);
    context.fillStyle = "#111";
    context.fillRect(14, high - 15, wide, 3);
    context.font = "12px system-ui, sans-serif";
    context.fillText(String(Number(length.toPrecision(3))), 14, high - 19);
  }

  function draw(map, moving) {
    const { canvas, facts, now, hidden } = map, ratio = window.devicePixelRatio || 1;
    const wide = canvas.clientWidth, high = canvas.clientHeight;
    if (!wide) return;
    if (canvas.width !== Math.round(wide * ratio) || canvas.height !== Math.round(high * ratio)) {
      canvas.width = Math.round(wide * ratio);
      canvas.height = Math.round(high * ratio);
    }
    const context = canvas.getContext("2d"), scale = now.zoom * fit(map);
    const view = { left: now.x - wide / 2 / scale, top: now.y - high / 2 / scale, scale, wide: wide / scale, high: high / scale };
    map.view = view;
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, wide, high);
    context.imageSmoothingEnabled = scale < 1.5;
    if (!hidden.has("picture") && map.image.complete) {
      context.drawImage(map.image, -view.left * scale, -view.top * scale, facts.width * scale, facts.height * scale);
    }
    if (!moving) facts.layers.forEach((layer) => {
      if (!hidden.has(layer.key)) lines(context, view, block(layer.key), layer.colour);
    });
    scaleBar(context, facts, scale, high);
  }

  function fit(map) {
    return Math.min(map.canvas.clientWidth / map.facts.width, map.canvas.clientHeight / map.facts.height);
  }

  function drawAll(group) {
    const began = performance.now();
    group.maps.forEach((map) => draw(map, false));
    // What was asked for is drawn later, unless a pixel is read.
    group.maps[0].canvas.getContext("2d").getImageData(0, 0, 1, 1);
    group.slow = performance.now() - began > 50;
  }

  // Where lines take long to draw, they wait until the map stands still.
  function redraw(group) {
    if (group.waiting) return;
    group.waiting = true;
    requestAnimationFrame(() => {
      group.waiting = false;
      clearTimeout(group.rest);
      if (!group.slow) return drawAll(group);
      group.maps.forEach((map) => draw(map, true));
      group.rest = setTimeout(() => drawAll(group), 150);
    });
  }

  function zoom(map, by, x, y) {
    const { now, view, facts } = map;
    if (!by) Object.assign(now, { zoom: 1, x: facts.width / 2, y: facts.height / 2 });
    else {
      const before = now.zoom;
      now.zoom = Math.min(Math.max(now.zoom / by, 0.5), 400);
      const px = view.left + x / view.scale, py = view.top + y / view.scale, kept = before / now.zoom;
      now.x = px + (now.x - px) * kept;
      now.y = py + (now.y - py) * kept;
    }
    redraw(map.group);
  }

  function listen(map) {
    const { canvas, now, group, told } = map;
    let from = null;
    canvas.addEventListener("pointerdown", (event) => { from = [event.clientX, event.clientY]; canvas.setPointerCapture(event.pointerId); });
    canvas.addEventListener("pointerup", () => { from = null; });
    canvas.addEventListener("pointermove", (event) => {
      const { left, top, scale } = map.view;
      if (from) {
        now.x -= (event.clientX - from[0]) / scale;
        now.y -= (event.clientY - from[1]) / scale;
        from = [event.clientX, event.clientY];
        redraw(group);
        return;
      }
      const named = map.facts.layers.map((layer) => block(layer.key)).find((data) => data.names.length);
      const found = named ? under(named, left + event.offsetX / scale, top + event.offsetY / scale) : -1;
      told.textContent = found < 0 ? "" : named.names[found];
    });
    canvas.addEventListener("pointerleave", () => { told.textContent = ""; });
    // The wheel zooms a map that was clicked; else it scrolls the page.
    canvas.addEventListener("wheel", (event) => {
      if (!event.ctrlKey && !event.metaKey && document.activeElement !== canvas) return;
      event.preventDefault();
      zoom(map, event.deltaY < 0 ? 0.8 : 1.25, event.offsetX, event.offsetY);
    }, { passive: false });
    canvas.addEventListener("keydown", (event) => {
      const step = 60 / map.view.scale, way = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
      if (way) { now.x += way[0] * step; now.y += way[1] * step; redraw(group); event.preventDefault(); }
      if (event.key === "+" || event.key === "-") zoom(map, event.key === "+" ? 0.8 : 1.25, canvas.clientWidth / 2, canvas.clientHeight / 2);
    });
  }

  document.querySelectorAll(".molecule-map").forEach((box) => {
    const facts = JSON.parse(box.dataset.map), canvas = box.querySelector("canvas"), image = box.querySelector("img");
    const group = (groups[box.dataset.group] = groups[box.dataset.group] || { maps: [], now: { zoom: 1, x: facts.width / 2, y: facts.height / 2 } });
    const map = { box, facts, canvas, image, group, now: group.now, hidden: new Set(), told: box.querySelector(".told"), view: null };
    group.maps.push(map);
    listen(map);
    image.addEventListener("load", () => redraw(group));
    new ResizeObserver(() => redraw(group)).observe(canvas);
    box.querySelectorAll("button").forEach((button) => button.addEventListener("click", () => {
      zoom(map, Number(button.dataset.by), canvas.clientWidth / 2, canvas.clientHeight / 2);
    }));
    box.querySelectorAll("[data-layer-key]").forEach((input) => input.addEventListener("change", () => {
      if (input.checked) map.hidden.delete(input.dataset.layerKey); else map.hidden.add(input.dataset.layerKey);
      redraw(group);
    }));
    redraw(group);
  });
})();

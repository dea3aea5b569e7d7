// Makes the pages handier: empty fields are not sent, and a rectangle drawn on the map becomes the
// area that is asked for.
for (const form of document.querySelectorAll("form")) {
  form.addEventListener("submit", () => {
    for (const field of form.elements) {
      if (field.name && field.value === "") field.disabled = true;
    }
  });
}

const map = document.querySelector("svg[data-bounds]");
const area = document.querySelector("form input[name=bbox]");
if (map && area) {
  const [west, north, perX, perY] = map.dataset.bounds.split(" ").map(Number);
  const place = (event) => {
    const at = new DOMPoint(event.clientX, event.clientY).matrixTransform(map.getScreenCTM().inverse());
    return [at.x, at.y];
  };
  const frame = document.createElementNS("http://www.w3.org/2000/svg", "rect");
  frame.setAttribute("class", "frame");
  let from = null;
  map.addEventListener("pointerdown", (event) => {
    if (event.button !== 0 || event.target.closest("a")) return;
    from = place(event);
    map.setPointerCapture(event.pointerId);
  });
  map.addEventListener("pointermove", (event) => {
    if (!from) return;
    const to = place(event);
    frame.setAttribute("x", Math.min(from[0], to[0]));
    frame.setAttribute("y", Math.min(from[1], to[1]));
    frame.setAttribute("width", Math.abs(from[0] - to[0]));
    frame.setAttribute("height", Math.abs(from[1] - to[1]));
    map.append(frame);
  });
  map.addEventListener("pointerup", (event) => {
    if (!from) return;
    const to = place(event);
    const xs = [from[0], to[0]].sort((a, b) => a - b);
    const ys = [from[1], to[1]].sort((a, b) => a - b);
    from = null;
    frame.remove();
    if (xs[1] - xs[0] < 6 || ys[1] - ys[0] < 6) return;
    const lon = (x) => Math.max(-180, Math.min(180, west + x / perX)).toFixed(6);
    const lat = (y) => Math.max(-90, Math.min(90, north - y / perY)).toFixed(6);
    area.value = [lon(xs[0]), lat(ys[1]), lon(xs[1]), lat(ys[0])].join(",");
    area.form.requestSubmit();
  });
}

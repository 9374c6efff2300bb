/* Curves of training: small multiples with one cursor for all of them. */
const curves = [];
let cursorStep = null;

function ticks(low, high, count) {
    const span = high - low || Math.abs(high) || 1;
    const raw = span / count, power = 10 ** Math.floor(Math.log10(raw));
    const step = [1, 2, 2.5, 5, 10].find(m => m * power >= raw) * power;
    const made = [];
    for (let v = Math.ceil(low / step) * step; v <= high + step * 1e-6; v += step) made.push(Math.abs(v) < step * 1e-6 ? 0 : v);
    return made;
}

/* `points`: [{x: step, y, low, high}] without holes. */
function makeCurve(key, points) {
    const readout = el("span", { class: "readout" });
    const picture = svg("svg", { tabindex: "0", role: "img", height: 150 });
    const [title, about] = known[key] || [heading(key), ""];
    const node = el("figure", { class: "card curve" },
        el("figcaption", {}, el("b", {}, title), readout), el("div", { class: "hint" }, about), picture);
    const curve = { key, points, readout, picture, node };
    const ys = points.map(p => p.y);
    picture.setAttribute("aria-label", `${title}: from ${figure(key, ys[0])} to ${figure(key, ys[ys.length - 1])}, ` +
        `lowest ${figure(key, Math.min(...ys))}, highest ${figure(key, Math.max(...ys))}. Arrow keys move the cursor.`);
    picture.addEventListener("pointermove", event => moveCursor(stepAt(curve, event)));
    picture.addEventListener("pointerdown", event => moveCursor(stepAt(curve, event)));
    picture.addEventListener("pointerleave", () => moveCursor(null));
    picture.addEventListener("blur", () => moveCursor(null));
    picture.addEventListener("keydown", event => walk(curve, event));
    curves.push(curve);
    return node;
}

function nearest(points, step) {
    let low = 0, high = points.length - 1;
    while (high - low > 1) {
        const middle = (low + high) >> 1;
        if (points[middle].x < step) low = middle; else high = middle;
    }
    return Math.abs(points[low].x - step) <= Math.abs(points[high].x - step) ? low : high;
}

function stepAt(curve, event) {
    const box = curve.picture.getBoundingClientRect(), s = curve.scale;
    return s ? s.x0 + (event.clientX - box.left - s.left) / (s.width || 1) * (s.x1 - s.x0) : null;
}

function walk(curve, event) {
    const at = nearest(curve.points, cursorStep === null ? curve.points[curve.points.length - 1].x : cursorStep);
    const far = Math.max(1, Math.round(curve.points.length / 20));
    const to = { ArrowLeft: at - 1, ArrowRight: at + 1, PageUp: at - far, PageDown: at + far, Home: 0, End: curve.points.length - 1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    moveCursor(curve.points[Math.max(0, Math.min(curve.points.length - 1, to))].x);
}

function moveCursor(step) {
    cursorStep = step;
    curves.forEach(showCursor);
}

function showCursor(curve) {
    const { points, scale: s } = curve;
    const at = cursorStep === null ? points.length - 1 : nearest(points, cursorStep);
    const p = points[at];
    curve.readout.textContent = cursorStep === null ? figure(curve.key, p.y)
        : `step ${number(p.x)}: ${figure(curve.key, p.y)}`;
    if (!s) return;
    curve.line.setAttribute("x1", s.x(p.x));
    curve.line.setAttribute("x2", s.x(p.x));
    curve.line.style.display = cursorStep === null ? "none" : "";
    curve.dot.setAttribute("cx", s.x(p.x));
    curve.dot.setAttribute("cy", s.y(p.y));
}

/* The range of the middle 99 % and some air, so that one peak doesn't flatten the rest. */
function rangeOf(points) {
    const sorted = points.map(p => p.y).sort((a, b) => a - b);
    const cut = Math.floor(sorted.length * 0.005);
    let low = sorted[cut], high = sorted[sorted.length - 1 - cut];
    if (high === low) { low -= Math.abs(low) * 0.1 || 0.1; high += Math.abs(high) * 0.1 || 0.1; }
    const air = (high - low) * 0.08;
    return [low >= 0 && low - air < 0 ? 0 : low - air, high + air];
}

/* As many digits as neighbouring ticks need to differ. */
function tickText(key, value, step) {
    const share = shareKeys.test(key) && value >= 0 && value <= 1;
    if (share) return percent(value, step < 0.01 ? 1 : 0);
    const places = [0, 1, 2, 3, 4, 5].find(d => Math.abs(step * 10 ** d - Math.round(step * 10 ** d)) < 1e-6);
    return places === undefined || Math.abs(value) >= 1e5 ? number(value, 3)
        : value.toLocaleString("en", { minimumFractionDigits: places, maximumFractionDigits: places });
}

function makeScale(curve, width, height) {
    const { points } = curve, share = points.every(p => isShare(curve.key, p.y));
    let [y0, y1] = rangeOf(points);
    if (share) [y0, y1] = [Math.max(0, y0), Math.min(1, y1)];
    const s = { left: 46, top: 6, width: width - 56, height: height - 28, y0, y1,
                x0: data.rows.step[0], x1: data.rows.step[data.rows.step.length - 1] };
    points.forEach(p => { s.x0 = Math.min(s.x0, p.x); s.x1 = Math.max(s.x1, p.x); });
    if (s.x0 === s.x1) s.x1 = s.x0 + 1;
    const inside = v => Math.max(s.y0, Math.min(s.y1, v));
    s.x = v => s.left + (v - s.x0) / (s.x1 - s.x0) * s.width;
    s.y = v => s.top + (1 - (inside(v) - s.y0) / (s.y1 - s.y0)) * s.height;
    return s;
}

const pathOf = pairs => pairs.map(([x, y], i) => (i ? "L" : "M") + x.toFixed(1) + " " + y.toFixed(1)).join("");

function drawCurve(curve) {
    const { picture, points } = curve, width = picture.parentNode.clientWidth - 32, height = 150;
    const s = curve.scale = makeScale(curve, Math.max(width, 120), height);
    const marks = ticks(s.y0, s.y1, 4), step = marks.length > 1 ? marks[1] - marks[0] : 1;
    const parts = marks.map(v => [
        svg("line", { class: "grid", x1: s.left, x2: s.left + s.width, y1: s.y(v), y2: s.y(v) }),
        svg("text", { x: s.left - 6, y: s.y(v) + 4, "text-anchor": "end" }, tickText(curve.key, v, step))]);
    for (const v of ticks(s.x0, s.x1, 5).filter(v => Number.isInteger(v)))
        parts.push(svg("text", { x: s.x(v), y: height - 6, "text-anchor": "middle" }, number(v)));
    if (points.length > 1 && points.some(p => p.high > p.low))
        parts.push(svg("path", { class: "spread", d: pathOf([...points.map(p => [s.x(p.x), s.y(p.high)]),
            ...points.slice().reverse().map(p => [s.x(p.x), s.y(p.low)])]) + "Z" }));
    parts.push(svg("path", { class: "trace", d: pathOf(points.map(p => [s.x(p.x), s.y(p.y)])) }));
    if (points.length <= 40)
        parts.push(points.map(p => svg("circle", { class: "dot", cx: s.x(p.x), cy: s.y(p.y), r: 3 })));
    curve.line = svg("line", { class: "cursor", y1: s.top, y2: s.top + s.height });
    curve.dot = svg("circle", { class: "dot", r: 4.5 });
    picture.replaceChildren(...parts.flat(Infinity), curve.line, curve.dot);
    showCursor(curve);
}

function curvePoints(key) {
    const { step } = data.rows, values = data.rows[key], low = data.rows.low[key], high = data.rows.high[key];
    return step.map((x, i) => ({ x, y: values[i], low: low ? low[i] : values[i], high: high ? high[i] : values[i] }))
        .filter(p => p.y !== null);
}

/* Evaluations between epochs: key -> points. */
function eventPoints() {
    const found = {};
    for (const event of data.events)
        if (event.event === "evaluation")
            for (const [key, y] of Object.entries(event))
                if (typeof y === "number" && key !== "step" && key !== "time")
                    (found[key] = found[key] || []).push({ x: event.step, y, low: y, high: y });
    return found;
}

function showTraining() {
    const keys = Object.keys(data.rows).filter(k => Array.isArray(data.rows[k]) && k !== "step" && k !== "epoch");
    const figures = [...keys.map(k => [k, curvePoints(k)]), ...Object.entries(eventPoints())]
        .filter(([, points]) => points.length).map(([key, points]) => makeCurve(key, points));
    if (!figures.length) return;
    const thinned = data.row_count > data.rows.step.length
        ? ` Of ${number(data.row_count)} rows each point is the mean of some; the band holds all of them.` : "";
    section("training", "Training", "Values over the steps of training. Point at a curve, or focus it and use the arrow keys: " +
        "all curves show the same step." + thinned, el("div", { class: "curves" }, figures));
    redraws.push(() => curves.forEach(drawCurve));
}

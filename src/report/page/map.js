/* The map of embeddings: a canvas of points, coloured by class, folder or cluster. */
function colourings() {
    const made = [];
    const add = (title, of, names) => { if (Array.isArray(of) && of.some(v => v >= 0)) made.push({ title, of, names: names || [] }); };
    add("class", samples.labels, samples.class_names);
    add("folder", samples.folders, samples.folder_names);
    add("cluster", samples.clusters, []);
    return made.length ? made : [{ title: "none", of: samples.names.map(() => 0), names: ["all"] }];
}

function makeMap() {
    const canvas = el("canvas", { tabindex: "0", role: "img" });
    const chosen = el("div", { class: "chosen" }), legend = el("ul", { class: "legend" });
    const state = { map: samples.maps[0], paint: colourings()[0], only: null, at: null, canvas, chosen, legend };
    canvas.setAttribute("aria-label", `Map of ${samples.names.length} embeddings. Arrow keys walk to the next point in that direction.`);
    canvas.addEventListener("pointermove", event => pointAt(state, event));
    canvas.addEventListener("pointerdown", event => pointAt(state, event));
    canvas.addEventListener("pointerleave", () => { hideTip(); });
    canvas.addEventListener("blur", hideTip);
    canvas.addEventListener("keydown", event => walkMap(state, event));
    return state;
}

const MARGIN = 14;
function placeOf(state, i) {
    const { width, height } = state.canvas.getBoundingClientRect(), xy = state.map.xy;
    return [MARGIN + xy[2 * i] / 4095 * (width - 2 * MARGIN), MARGIN + (1 - xy[2 * i + 1] / 4095) * (height - 2 * MARGIN)];
}
const groupCount = paint => Math.max(...paint.of) + 1;
const isOn = (state, i) => state.only === null || state.paint.of[i] === state.only;

function drawMap(state) {
    const { canvas, paint } = state, box = canvas.getBoundingClientRect(), ratio = devicePixelRatio || 1;
    canvas.width = Math.round(box.width * ratio);
    canvas.height = Math.round(box.height * ratio);
    const g = canvas.getContext("2d"), n = groupCount(paint), count = samples.names.length;
    const radius = count > 5000 ? 1.6 : count > 1500 ? 2.3 : count > 300 ? 3.2 : 4.5;
    g.scale(ratio, ratio);
    for (const on of [false, true])
        for (let i = 0; i < count; i++) {
            if (isOn(state, i) !== on) continue;
            const [x, y] = placeOf(state, i);
            g.globalAlpha = on ? 0.82 : 0.1;
            g.fillStyle = colour(paint.of[i], n);
            g.beginPath();
            g.arc(x, y, radius, 0, 2 * Math.PI);
            g.fill();
        }
    if (state.at === null) return;
    const [x, y] = placeOf(state, state.at);
    g.globalAlpha = 1;
    g.strokeStyle = isDark() ? "#fff" : "#000";
    g.lineWidth = 2;
    g.beginPath();
    g.arc(x, y, radius + 4, 0, 2 * Math.PI);
    g.stroke();
}

function choosePoint(state, i, x, y) {
    if (i !== state.at) {
        state.at = i;
        drawMap(state);
        state.chosen.replaceChildren(look(i, 88), el("div", {}, el("b", {}, classOf(i) || groupName(state.paint, state.paint.of[i])),
            el("div", {}, short(nameOf(i), 60)), hasPictures && samples.texts ? el("div", {}, short(String(samples.texts[i] || ""), 90)) : null));
    }
    showTip(x, y, hasPictures ? look(i, 64) : el("div", {}, short(String((samples.texts || [])[i] || nameOf(i)), 120)), classOf(i) ? el("div", {}, classOf(i)) : "");
}

function pointAt(state, event) {
    const box = state.canvas.getBoundingClientRect(), x = event.clientX - box.left, y = event.clientY - box.top;
    let best = -1, least = 18 * 18;
    for (let i = 0; i < samples.names.length; i++) {
        if (!isOn(state, i)) continue;
        const [px, py] = placeOf(state, i), d = (px - x) ** 2 + (py - y) ** 2;
        if (d < least) { least = d; best = i; }
    }
    if (best >= 0) choosePoint(state, best, event.clientX, event.clientY);
    else hideTip();
}

/* The nearest point within the quarter that the arrow points to. */
function walkMap(state, event) {
    const to = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    if (!to) return;
    event.preventDefault();
    let best = -1, least = Infinity;
    const [x, y] = state.at === null ? [0, 0] : placeOf(state, state.at);
    for (let i = 0; i < samples.names.length; i++) {
        if (i === state.at || !isOn(state, i)) continue;
        const [px, py] = placeOf(state, i), along = (px - x) * to[0] + (py - y) * to[1];
        const across = Math.abs((px - x) * to[1]) + Math.abs((py - y) * to[0]);
        if (state.at !== null && (along <= 0 || across > along)) continue;
        if (along + 2 * across < least) { least = along + 2 * across; best = i; }
    }
    if (best < 0) return;
    const box = state.canvas.getBoundingClientRect(), [bx, by] = placeOf(state, best);
    choosePoint(state, best, box.left + bx, box.top + by);
}

const groupName = (paint, k) => (k < 0 ? "none" : k < paint.names.length ? String(paint.names[k]) : `${paint.title} ${k}`);

function drawLegend(state) {
    const { paint } = state, n = groupCount(paint), counts = new Array(n).fill(0);
    let without = 0;
    paint.of.forEach(k => { if (k >= 0) counts[k]++; else without++; });
    const order = counts.map((c, k) => [c, k]).filter(([c]) => c).sort((a, b) => n > 30 ? b[0] - a[0] : a[1] - b[1]).slice(0, 200);
    const item = ([count, k]) => el("li", {}, el("button", {
        type: "button", "aria-pressed": String(state.only === k),
        onclick: () => { state.only = state.only === k ? null : k; drawLegend(state); drawMap(state); },
    }, el("i", { style: `background:${colour(k, n)}` }), el("span", {}, groupName(paint, k)), el("span", { class: "over" }, number(count))));
    state.legend.replaceChildren(...order.map(item), ...(without ? [item([without, -1])] : []));
}

function showMap() {
    if (!samples || !samples.maps || !samples.maps.length) return;
    samples.maps.reverse(); /* t-SNE before the principal components that it began with */
    const state = makeMap(), paints = colourings(), redraw = () => { drawMap(state); drawLegend(state); };
    const about = el("p", { class: "hint" });
    const chooseMap = map => { state.map = map; state.at = null; about.textContent = map.about || ""; redraw(); };
    section("map", "Map of the embeddings", `${number(samples.names.length)} ${samples.unit || "samples"} of the ${samples.split || "test set"}: near each other is what the encoder finds alike. ` +
        "Point at one to see it; press a name to see one group alone.",
        el("div", { class: "bar" },
            samples.maps.length > 1 ? choices("Map", samples.maps.map(m => [m, m.name]), chooseMap) : null,
            paints.length > 1 ? choices("Colours", paints.map(p => [p, p.title]), p => { state.paint = p; state.only = null; redraw(); }) : null),
        el("div", { class: "card map" }, el("div", {}, state.canvas, about), el("div", {}, state.chosen, state.legend)));
    state.chosen.append(el("span", {}, "Point at the map, or focus it and use the arrow keys."));
    about.textContent = state.map.about || "";
    redraws.push(redraw);
}

/* Samples of the test set: their pictures, nearest neighbours, the hardest and the most typical ones. */
const samples = data.samples && Array.isArray(data.samples.names) ? data.samples : null;
const labelled = samples && Array.isArray(samples.labels) && samples.labels.some(l => l >= 0);

const labelOf = i => (labelled ? samples.labels[i] : -1);
function classOf(i) {
    const label = labelOf(i);
    if (label < 0) return "";
    const names = samples.class_names || [];
    return label < names.length ? String(names[label]) : String(label);
}
const nameOf = i => (samples.names[i] ? String(samples.names[i]) : `${samples.unit || "sample"} ${i}`);

/* The pictures lie in one sheet, row by row; one rule for all, so that it is decoded once. */
function addSheet() {
    if (!data.images.thumbs) return;
    const rule = document.createElement("style");
    rule.textContent = `.thumb{background-image:url("${data.images.thumbs}")}`;
    document.head.append(rule);
}

/* A large set's pictures are some of its samples': sample -> place in the sheet. */
const places = samples && samples.sheet && Array.isArray(samples.sheet.samples) ? new Map(samples.sheet.samples.map((sample, place) => [sample, place])) : null;
function placeInSheet(i) {
    if (!samples.sheet) return undefined;
    return places ? places.get(i) : i < samples.sheet.count ? i : undefined;
}

/* How sample `i` looks at `size` pixels: a picture, a curve, or words. */
function look(i, size) {
    const sheet = samples.sheet, place = placeInSheet(i);
    if (place !== undefined) {
        const scale = size / sheet.side, gap = sheet.gap || 0, cell = sheet.side + gap;
        const x = gap + (place % sheet.columns) * cell, y = gap + Math.floor(place / sheet.columns) * cell;
        const tall = Math.ceil(sheet.count / sheet.columns);
        const node = el("div", { class: "thumb", "--shown": size + "px", role: "img", "aria-label": nameOf(i) });
        node.style.backgroundSize = `${(sheet.columns * cell + gap) * scale}px ${(tall * cell + gap) * scale}px`;
        node.style.backgroundPosition = `${-x * scale}px ${-y * scale}px`;
        return node;
    }
    if (samples.series && samples.series[i]) {
        const lines = samples.series[i], most = Math.max(...lines.map(l => l.length)) - 1 || 1;
        return svg("svg", { class: "spark", viewBox: "-2 -2 104 104", preserveAspectRatio: "none", "--shown": size + "px", role: "img", "aria-label": nameOf(i) },
            lines.map(l => svg("path", { d: pathOf(l.map((v, t) => [100 * t / most, 100 - v])) })));
    }
    if (samples.texts) return el("div", { class: "words" }, String(samples.texts[i] || ""));
    return el("div", { class: "words" }, nameOf(i));
}
const hasPictures = samples && (samples.sheet || samples.series);

/* One sample with what stands below it; `same`: true, false, or null where there are no classes. */
function pick(i, size, same, under) {
    const caption = hasPictures && samples.texts && samples.texts[i] ? short(String(samples.texts[i]), 80) : null;
    return el("figure", { class: "pick" + (hasPictures ? "" : " wide") + (same === true ? " same" : same === false ? " other" : ""),
        "--shown": size + "px", title: [nameOf(i), classOf(i), caption].filter(Boolean).join("\n") },
        look(i, size), el("div", { class: "under" },
            same === null ? null : el("span", { class: "sign" }, same ? "✓ " : "✗ "), classOf(i) || (hasPictures ? short(nameOf(i), 14) : "")),
        under ? el("div", { class: "under" }, under) : null);
}

function neighbourRow([query, near, similarity]) {
    return el("div", { class: "row", tabindex: "0", role: "group", "aria-label": `${nameOf(query)} and its nearest` },
        el("div", { class: "query" }, pick(query, 64, null, "asked")),
        near.map((j, k) => pick(j, 64, labelled && labelOf(query) >= 0 ? labelOf(j) === labelOf(query) : null, similarity[k].toFixed(2))));
}

function showNeighbours() {
    if (!samples || !samples.neighbours || !samples.neighbours.length) return;
    const right = samples.neighbours.filter(n => n[3]), wrong = samples.neighbours.filter(n => !n[3]);
    const place = el("div", { class: "near" });
    const choose = which => place.replaceChildren(...(which === "right" ? right : which === "wrong" ? wrong : samples.neighbours).slice(0, 24).map(neighbourRow));
    const both = labelled && right.length && wrong.length;
    section("neighbours", "Nearest neighbours", `What the encoder finds alike, by cosine similarity among ${number(samples.names.length)} ${samples.unit || "samples"}` +
        (labelled ? ": ✓ of the same class, ✗ of another." : "."),
        both ? choices("Majority of the nearest", [["all", "right and wrong"], ["right", "right"], ["wrong", "wrong"]], choose) : null,
        el("div", { class: "card" }, place));
    choose("all");
}

function gallery(title, about, picks) {
    return el("div", { class: "card" }, el("h3", {}, title), el("p", { class: "hint" }, about),
        el("div", { class: "gallery" }, picks.map(([i, value]) => pick(i, 56, null, number(value, 2)))));
}

function showExtremes() {
    if (!samples || !samples.typical) return;
    const hard = labelled ? samples.hardest.filter(([, own]) => own < 1) : samples.hardest;
    section("extremes", "Typical and hard", null, el("div", { class: "two" },
        gallery(labelled ? "Most typical" : "In the thick of things",
            labelled ? "Nearest to the mean of their class, with the cosine similarity to it." : "With the most alike neighbours: their mean similarity.", samples.typical),
        gallery(labelled ? "Hardest" : "Loners",
            !labelled ? "Least alike to their nearest: the mean similarity."
                : hard.length ? "Whose nearest are of other classes: the share that is of their own." : "None: all nearest ones are of the same class.", hard)));
}

/* Blocks of views.txt: a text with its number of tokens, and views of it, of which equal ones are told once. */
function textViews() {
    const blocks = data.views_text.replace(/\n+$/, "").split(/\n\n+/).map(block => block.split("\n").map(line => line.split("\t")));
    return blocks.map(([[, tokens, ...text], ...views]) => {
        const counts = new Map();
        for (const [, , ...view] of views) counts.set(view.join(" "), (counts.get(view.join(" ")) || 0) + 1);
        return el("li", {}, el("div", {}, text.join(" ") || "(no text)", el("span", { class: "over" }, ` ${tokens || ""}`)),
            el("ul", {}, [...counts].map(([view, times]) => el("li", {}, view || "(empty)", times > 1 ? el("span", { class: "over" }, ` ×${times}`) : null))));
    });
}

function showViews() {
    const parts = [];
    if (data.images.views)
        parts.push(el("div", { class: "card sheet" }, el("img", { src: data.images.views, alt: "Contact sheet of training samples and their augmented views" })));
    if (data.views_text) parts.push(el("div", { class: "card" }, el("ul", { class: "texts" }, textViews())));
    if (parts.length)
        section("views", "Views", "As trained on: first a sample of the training set, then random views of it.", parts);
}

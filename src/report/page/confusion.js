/* Which classes are told apart: a heat map, the frequent mistakes, and how often each class is found. */
function confusions() {
    const found = [];
    for (const row of rows)
        for (const [task, result] of Object.entries(row))
            if (isObject(result) && Array.isArray(result.confusion) && result.confusion.length > 1)
                found.push({ row, task, matrix: result.confusion, title: `${row.features}, ${heading(task)}` });
    return found;
}

function classNames(row, n) {
    const names = Array.isArray(row.classes) ? row.classes : Array.isArray(data.class_names) ? data.class_names : [];
    return Array.from({ length: n }, (_, i) => (i < names.length ? String(names[i]) : String(i)));
}

const short = (text, most) => (text.length > most ? text.slice(0, most - 1) + "…" : text);
const sum = values => values.reduce((a, b) => a + b, 0);

/* Cells are coloured by the share of their true class; the arrow keys walk from cell to cell. */
function heatMap({ matrix, row }) {
    const n = matrix.length, names = classNames(row, n), totals = matrix.map(sum);
    const longest = Math.min(12, Math.max(...names.map(s => s.length)));
    const left = 10 + longest * 7, top = n <= 30 ? 10 + longest * 6 : 12, side = Math.max(8, Math.min(48, 560 / n));
    const width = left + n * side + 30, height = top + n * side + 4;
    const picture = svg("svg", { class: "heat", tabindex: "0", role: "img", viewBox: `0 0 ${width} ${height}`, style: `max-width:${width}px`,
        "aria-label": `Confusion matrix of ${n} classes; rows are true classes. Arrow keys walk from cell to cell.` });
    const cells = [];
    matrix.forEach((line, i) => line.forEach((count, j) => {
        const share = totals[i] ? count / totals[i] : 0;
        const strength = (100 * Math.sqrt(share)).toFixed(0);
        const rect = svg("rect", { x: left + j * side, y: top + i * side, width: side, height: side, rx: side > 14 ? 3 : 0 });
        rect.style.fill = `color-mix(in srgb, ${i === j ? "var(--good)" : "var(--bad)"} ${Math.min(strength * 0.85, 85)}%, var(--fill))`;
        rect.addEventListener("pointerenter", event => at(i, j, event.clientX, event.clientY));
        cells.push(rect);
        picture.append(rect);
        if (side >= 24 && count) picture.append(svg("text", { class: "cell", x: left + (j + .5) * side, y: top + (i + .5) * side }, String(count)));
    }));
    if (n <= 30) names.forEach((name, i) => picture.append(
        svg("text", { x: left - 6, y: top + (i + .5) * side + 4, "text-anchor": "end" }, short(name, 12)),
        svg("text", { transform: `translate(${left + (i + .5) * side + 4} ${top - 5}) rotate(-60)` }, short(name, 12))));
    let here = null;
    function at(i, j, x, y) {
        if (here) cells[here[0] * n + here[1]].classList.remove("at");
        here = [i, j];
        cells[i * n + j].classList.add("at");
        const share = totals[i] ? ` (${percent(matrix[i][j] / totals[i])})` : "";
        showTip(x, y, el("b", {}, names[i]), i === j ? " recognised: " : " taken for ", i === j ? null : el("b", {}, names[j]), i === j ? "" : ": ",
            `${number(matrix[i][j])} of ${number(totals[i])}${share}`);
    }
    function leave() {
        if (here) cells[here[0] * n + here[1]].classList.remove("at");
        here = null;
        hideTip();
    }
    picture.addEventListener("pointerleave", leave);
    picture.addEventListener("blur", leave);
    picture.addEventListener("keydown", event => {
        const move = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] }[event.key];
        if (!move) return;
        event.preventDefault();
        const [i, j] = here ? [here[0] + move[0], here[1] + move[1]] : [0, 0];
        if (i < 0 || j < 0 || i >= n || j >= n) return;
        const box = cells[i * n + j].getBoundingClientRect();
        at(i, j, box.right, box.bottom);
    });
    return picture;
}

function mistakes({ matrix, row }) {
    const n = matrix.length, names = classNames(row, n), found = [];
    matrix.forEach((line, i) => line.forEach((count, j) => { if (i !== j && count) found.push([count, i, j]); }));
    if (!found.length) return null;
    found.sort((a, b) => b[0] - a[0]);
    return el("div", { class: "card" }, el("h3", {}, "Most frequent mistakes"), el("div", { class: "scroll" }, el("table", {},
        el("thead", {}, el("tr", {}, ["true class", "taken for", "times"].map((h, i) => el("th", { scope: "col", style: i === 1 ? "text-align:left" : null }, h)))),
        el("tbody", {}, found.slice(0, 10).map(([count, i, j]) => el("tr", {}, el("td", {}, short(names[i], 24)),
            el("td", { style: "text-align:left" }, short(names[j], 24)), el("td", {}, number(count))))))));
}

const recalls = matrix => matrix.map((line, i) => { const all = sum(line); return all ? line[i] / all : null; });

/* Bars of one kind of features; the mark is where the untrained encoder stands. */
function classBars(chosen, all) {
    const n = chosen.matrix.length, names = classNames(chosen.row, n), mine = recalls(chosen.matrix);
    const other = all.find(c => c !== chosen && c.task === chosen.task && String(c.row.features).includes("untrained") && c.matrix.length === n);
    const theirs = other ? recalls(other.matrix) : null;
    const order = mine.map((_, i) => i).filter(i => mine[i] !== null).sort((a, b) => mine[b] - mine[a]);
    const shown = order.length > 40 ? [...order.slice(0, 15), ...order.slice(-25)] : order;
    const bar = i => [el("span", { class: "name", title: names[i] }, names[i]),
        el("span", { class: "track", role: "img", "aria-label": `${names[i]}: ${percent(mine[i])}` }, el("i", { style: `width:${(100 * mine[i]).toFixed(2)}%` }),
            theirs && theirs[i] !== null ? el("u", { style: `left:calc(${(100 * theirs[i]).toFixed(2)}% - 1px)`, title: `untrained: ${percent(theirs[i])}` }) : null),
        el("span", { class: "figure" }, percent(mine[i]))];
    return el("div", { class: "card" }, el("h3", {}, "Found of each class"),
        el("p", { class: "hint" }, (theirs ? "The mark is the untrained encoder. " : "") + (shown.length < order.length ? `The 15 best and 25 worst of ${order.length}.` : "")),
        el("div", { class: "bars" }, shown.map(bar)));
}

function showConfusion() {
    const all = confusions();
    if (!all.length) return;
    const order = [...all].sort((a, b) => (b.row === encoderRow) - (a.row === encoderRow) || (b.task === "linear") - (a.task === "linear"));
    const place = el("div", { class: "two" });
    const choose = chosen => {
        hideTip();
        place.replaceChildren(...(chosen.matrix.length <= 60 ? [el("div", { class: "card" }, el("h3", {}, "Confusion"),
            el("p", { class: "hint" }, "Rows: true class. Columns: what it was taken for."), heatMap(chosen))] : []),
        el("div", {}, classBars(chosen, all), mistakes(chosen)));
    };
    const select = el("select", { id: "confused", onchange: event => choose(order[Number(event.target.value)]) },
        order.map((c, i) => el("option", { value: String(i) }, c.title)));
    section("classes", "Classes", "Which classes the features tell apart, and which they mix up.",
        el("div", { class: "bar" }, el("label", { for: "confused" }, "Features and classifier"), select), place);
    choose(order[0]);
}

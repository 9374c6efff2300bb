/* Runs beside each other: what `clcontrast compare` found, figure by figure. */
const comparison = isObject(data.comparison) && Array.isArray(data.comparison.rows) ? data.comparison : null;

const figureOf = (row, column) => (isObject(row.figures) ? row.figures[column.figure] : undefined);
const isSpread = f => typeof f.deviation === "number";

/* "85.2 ± 0.4 %" */
function withSpread(column, f) {
    if (!f || typeof f.mean !== "number") return "";
    const say = value => (column.percent ? (100 * value).toFixed(1) : number(value, 3));
    return say(f.mean) + (isSpread(f) ? ` ± ${say(f.deviation)}` : "") + (column.percent ? " %" : "");
}

/* How a row stands to the highest: [words, class of the bar]. */
function standing(column, row, found, highest) {
    const { difference } = found, listed = key => difference && (difference[key] || []).includes(row.name);
    if (!difference) return ["", ""];
    if (row === highest) return ["highest", "highest"];
    if (listed("within the spread of it")) return ["within its spread", ""];
    if (listed("below it")) return ["below", "below"];
    return ["spread not known", "below"];
}

/* From 0, or from the lowest below it. A line is the deviation to either side. */
function figureBars(column) {
    const found = comparison.rows.filter(r => figureOf(r, column)).sort((a, b) => figureOf(b, column).mean - figureOf(a, column).mean);
    const ends = found.flatMap(r => { const f = figureOf(r, column), d = f.deviation || 0; return [f.mean - d, f.mean + d]; });
    const low = Math.min(0, ...ends), high = Math.max(0, ...ends), span = high - low || 1;
    const at = value => `${(100 * (value - low) / span).toFixed(2)}%`, length = (from, to) => `${(100 * (to - from) / span).toFixed(2)}%`;
    const difference = (comparison.differences || []).find(d => d.figure === column.figure);
    const bar = row => {
        const f = figureOf(row, column), [said, kind] = standing(column, row, { difference }, found[0]), text = withSpread(column, f);
        return [el("span", { class: "name", title: row.name }, row.name),
            el("span", { class: "track " + kind, role: "img", "aria-label": `${row.name}: ${text}${said ? ", " + said : ""}` },
                el("i", { style: `left:${at(Math.min(0, f.mean))};right:auto;width:${length(Math.min(0, f.mean), Math.max(0, f.mean))}` }),
                isSpread(f) ? el("b", { style: `left:${at(f.mean - f.deviation)};width:${length(f.mean - f.deviation, f.mean + f.deviation)}` }) : null),
            el("span", { class: "figure" }, text), el("span", { class: "tag " + kind }, said)];
    };
    return el("div", { class: "card" }, el("h3", {}, column.heading), el("div", { class: "bars wide" }, found.map(bar)));
}

function comparisonTable(columns) {
    const cell = (row, column) => el("td", {}, withSpread(column, figureOf(row, column)));
    return el("div", { class: "card" }, el("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "All figures" }, el("table", {},
        el("thead", {}, el("tr", {}, ["features", "runs", ...columns.map(c => c.heading)].map(text => el("th", { scope: "col" }, text)))),
        el("tbody", {}, comparison.rows.map(row => el("tr", {}, el("th", { scope: "row" }, row.name),
            el("td", {}, String((row.runs || []).length)), columns.map(column => cell(row, column))))))));
}

/* The highest of the first figure, and who is as good within the spread. */
function comparisonSummary(columns) {
    const first = columns.find(c => (comparison.differences || []).some(d => d.figure === c.figure));
    if (!first) return null;
    const difference = comparison.differences.find(d => d.figure === first.figure), equal = difference["within the spread of it"] || [];
    const row = comparison.rows.find(r => r.name === difference.highest && figureOf(r, first));
    return el("p", { class: "lead" }, `Highest ${first.heading}: `, el("b", {}, difference.highest), row ? ` with ${withSpread(first, figureOf(row, first))}` : "",
        equal.length ? `; no further from it than the spread: ${equal.join(", ")}.` : ".");
}

function showComparison() {
    const columns = Array.isArray(comparison.columns) ? comparison.columns : [];
    const runs = new Set(comparison.rows.flatMap(row => row.runs || []));
    page.append(el("p", { class: "over" }, "clcontrast comparison"), el("h1", {}, `${data.run.name}: ${number(runs.size)} ${runs.size === 1 ? "run" : "runs"}`),
        comparisonSummary(columns) || "");
    section("figures", "Figures", "Bars are means over runs that differ in the seed alone, the line on a bar the standard deviation to either side. A difference from the " +
        "highest is within the spread if it is at most the root of the sum of both deviations' squares.", columns.map(figureBars));
    section("table", "Table", "More figures are in compare.csv.", comparisonTable(columns));
    section("runs", "Runs", null, el("div", { class: "card" }, comparison.rows.map(row =>
        el("p", {}, el("b", {}, row.name), el("span", { class: "over" }, " " + (row.runs || []).join(", "))))));
}

/* What was found in an index: groups of samples with their pictures, similarities and names. */
const shortName = name => (name.length > 42 ? "…" + name.slice(-41) : name);

function sample(s) {
    const name = String(s.name);
    const face = s.picture ? el("img", { src: s.picture, alt: name }) : el("div", { class: "words" }, name);
    return el("figure", { class: "found" + (s.mark ? " marked" : ""), title: name }, el("div", { class: "face" }, face),
        el("figcaption", {}, s.value === undefined ? null : el("b", {}, s.value.toFixed(4)), s.note ? el("span", { class: "tag" }, s.note) : null),
        s.picture ? el("div", { class: "under" }, shortName(name)) : null);
}

function group(g, i) {
    return el("section", { class: "card", "aria-label": g.heading || `group ${i + 1}` }, g.heading ? el("h2", {}, g.heading) : null,
        el("div", { class: "wall" }, g.query ? el("div", { class: "asked" }, sample(g.query)) : null, g.samples.map(sample)));
}

document.title = `${data.title}: clcontrast`;
themeButton();
fill(page, {}, [el("p", { class: "over" }, `clcontrast ${data.command}`), el("h1", {}, data.title), el("p", { class: "lead" }, data.summary),
    (data.notes || []).map(note => el("p", { class: "note" }, note)), data.groups.map(group),
    el("footer", {}, el("p", {}, `Written ${data.written} by clcontrast ${data.version}.`))]);
document.documentElement.dataset.ready = "true";

/* The page from top to bottom, and the configuration. */
function parseIni(text) {
    const sections = [];
    for (const line of String(text || "").split("\n")) {
        const head = line.match(/^\[(.+)\]$/), pair = line.match(/^([^=;#\s]+)\s*=\s*(.*)$/);
        if (head) sections.push({ name: head[1], keys: [] });
        else if (pair && sections.length) sections[sections.length - 1].keys.push([pair[1], pair[2]]);
    }
    return sections;
}

function showSettings() {
    const sections = parseIni(data.config), defaults = {};
    for (const s of parseIni(data.config_defaults)) for (const [key, value] of s.keys) defaults[s.name + "." + key] = value;
    if (!sections.length) return;
    const row = (s, [key, value]) => el("tr", { class: defaults[s.name + "." + key] !== undefined && defaults[s.name + "." + key] !== value ? "changed" : null },
        el("th", { scope: "row" }, key), el("td", {}, value === "" ? "–" : value));
    const place = el("div", { class: "settings" }, sections.map(s => el("table", {}, el("caption", {}, s.name), el("tbody", {}, s.keys.map(k => row(s, k))))));
    const search = el("input", { id: "search", type: "search", placeholder: "key or value", oninput: () => {
        const wanted = search.value.toLowerCase();
        for (const table of place.children) {
            let any = false;
            for (const tr of table.querySelectorAll("tr")) {
                tr.hidden = !(table.caption.textContent + "." + tr.textContent).toLowerCase().includes(wanted);
                any = any || !tr.hidden;
            }
            table.hidden = !any;
        }
    } });
    section("configuration", "Configuration", "All keys as they were in effect; bold where they are not the default.",
        el("div", { class: "bar" }, el("label", { for: "search" }, "Find"), search),
        el("details", { class: "card", open: "" }, el("summary", {}, "config.ini"), place));
}

function showVersions() {
    const lines = Object.entries(data.versions || {});
    page.append(el("footer", {}, el("p", {}, `Written ${data.run.written} by clcontrast. `, lines.map(([what, value]) => `${what} ${value}`).join(" · ")),
        (data.notes || []).map(note => el("p", {}, note))));
}

/* Marks the section in sight in the contents. */
function followSections() {
    const links = new Map([...contents.children].map(a => [a.getAttribute("href").slice(1), a]));
    const watcher = new IntersectionObserver(entries => {
        for (const entry of entries)
            if (entry.isIntersecting) {
                links.forEach(a => a.removeAttribute("aria-current"));
                links.get(entry.target.id).setAttribute("aria-current", "true");
            }
    }, { rootMargin: "-20% 0px -70% 0px" });
    page.querySelectorAll("section").forEach(s => watcher.observe(s));
}

document.title = `${data.run.name}: clcontrast report`;
themeButton();
addSheet();
function showRun() {
    page.append(el("p", { class: "over" }, "clcontrast report"), el("h1", {}, data.run.name), summary(), tiles());
    for (const show of [showTraining, showViews, showEvaluation, showConfusion, showMap, showNeighbours, showExtremes, showCost, showSettings]) show();
}

if (comparison) showComparison();
else if (data.comparison_error) page.append(el("h1", {}, data.run.name), el("p", { class: "note" }, data.comparison_error));
else showRun();
showVersions();
redrawAll();
followSections();
let pending = 0;
addEventListener("resize", () => { cancelAnimationFrame(pending); pending = requestAnimationFrame(redrawAll); });
document.documentElement.dataset.ready = "true";

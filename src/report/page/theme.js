/* The switch between light and dark. */
function themeButton() {
    const button = document.getElementById("theme"), root = document.documentElement;
    const store = value => { try { localStorage.setItem("clcontrast-theme", value); } catch (error) { /* not in every browser for files */ } };
    try { if (/^(light|dark)$/.test(localStorage.getItem("clcontrast-theme"))) root.dataset.theme = localStorage.getItem("clcontrast-theme"); } catch (error) { /* as above */ }
    const say = () => { button.textContent = isDark() ? "☀ light" : "☾ dark"; };
    button.addEventListener("click", () => {
        root.dataset.theme = isDark() ? "light" : "dark";
        store(root.dataset.theme);
        say();
        redrawAll();
    });
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => { say(); redrawAll(); });
    say();
}

// What every page needs: the CSRF header for htmx, toasts that leave, and the current room in the navigation.

document.addEventListener("htmx:configRequest", (event) => {
  event.detail.headers["X-CSRFToken"] = document.body.dataset.csrf;
});

document.addEventListener("htmx:sendError", () => toast("The server cannot be reached. Nothing was changed.", "error"));
document.addEventListener("htmx:responseError", (event) =>
  toast(`The server refused (${event.detail.xhr.status}). Reload the page and try again.`, "error"),
);

/** Show a message at the bottom of the page, with what follows it; errors stay until clicked. */
export function toast(text, kind = "info", ...more) {
  const box = document.createElement("p");
  box.className = `toast ${kind}`;
  box.append(text, ...more);
  document.getElementById("toasts").append(box);
}

const leave = (box) => setTimeout(() => box.remove(), box.classList.contains("error") ? 60000 : 6000);
const toasts = document.getElementById("toasts");
toasts.querySelectorAll(".toast").forEach(leave);
new MutationObserver((changes) =>
  changes.forEach((change) => change.addedNodes.forEach((node) => node.classList?.contains("toast") && leave(node))),
).observe(toasts.parentNode, { childList: true, subtree: true });
document.addEventListener("click", (event) => event.target.closest(".toast")?.remove());

for (const nav of document.querySelectorAll("nav.rooms")) {
  const around = [...nav.querySelectorAll("a")].filter((a) => location.pathname.startsWith(a.pathname));
  around.sort((a, b) => b.pathname.length - a.pathname.length)[0]?.setAttribute("aria-current", "page");
}

// What the window shows: it follows what a person does, and stays where it is once they have scrolled.

const SCROLL_KEYS = new Set(["PageUp", "PageDown", "Home", "End", "ArrowUp", "ArrowDown", " "]);

export class View {
  constructor(button) {
    this.button = button;
    this.scrolled = false;
    this.news = [];
    const scrolled = () => (this.scrolled = true);
    window.addEventListener("wheel", scrolled, { passive: true });
    window.addEventListener("touchmove", scrolled, { passive: true });
    window.addEventListener("keydown", (event) => {
      if (SCROLL_KEYS.has(event.key) && !event.target.closest("input, select, textarea, [role=slider]")) scrolled();
    });
    // A press on the scroll bar hits the root element.
    window.addEventListener("pointerdown", (event) => event.target === document.documentElement && scrolled());
    window.addEventListener("scroll", () => this.drop(), { passive: true });
    new ResizeObserver(() => measure()).observe(document.querySelector("footer"));
    window.addEventListener("resize", measure);
    button.addEventListener("click", () => {
      const [first] = this.news;
      this.news = [];
      button.hidden = true;
      this.bring(first);
      first?.querySelector(".headline, .row")?.focus({ preventScroll: true });
    });
  }

  // Somebody has sent this: they want to see it.
  follow(node, alone) {
    this.scrolled = false;
    node.scrollIntoView({ block: alone ? "end" : "nearest" });
  }

  // An answer has come. It is shown if its sender waits for it, and announced quietly if they look elsewhere.
  arrived(node, alone) {
    if (alone && !this.scrolled) this.bring(node);
    else if (this.scrolled && isBelow(node)) {
      this.news.push(node);
      this.button.hidden = false;
    }
  }

  // Shows the whole node, or its beginning where it is higher than the window.
  bring(node) {
    if (!node?.isConnected) return;
    const style = getComputedStyle(document.documentElement);
    const room = window.innerHeight - parseFloat(style.scrollPaddingTop) - parseFloat(style.scrollPaddingBottom);
    node.scrollIntoView({ block: node.offsetHeight > room ? "start" : "nearest" });
  }

  drop() {
    this.news = this.news.filter((node) => node.isConnected && isBelow(node));
    if (this.news.length === 0) this.button.hidden = true;
  }
}

// The box at the bottom stays in view, unless large text makes it so high that it would cover what is read.
function measure() {
  const { offsetHeight } = document.querySelector("footer");
  const root = document.documentElement;
  const high = offsetHeight > 0.35 * window.innerHeight;
  root.classList.toggle("high-footer", high);
  root.style.scrollPaddingBottom = `${(high ? 0 : offsetHeight) + 16}px`;
}

function isBelow(node) {
  const footer = document.querySelector("footer").getBoundingClientRect().top;
  return node.getBoundingClientRect().top > Math.min(footer, window.innerHeight) - 24;
}

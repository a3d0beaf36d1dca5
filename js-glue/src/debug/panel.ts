/**
 * The panel of `?vitrace-debug`: a shadow tree in the corner of the page. It has no inline style and no markup from
 * strings, so that a strict CSP and required Trusted Types let it be; it is painted at most twice a second, and not at all
 * while it is closed, folded or hidden.
 */
import type { Stats } from "../types";
import type { Tally } from "./tally";
import { STYLE } from "./style";

const REFRESH_MS = 500;
const TEXT_CHARS_MAX = 90;

/** [good up to, poor above], milliseconds but for CLS. */
const LIMITS = { lcp: [2500, 4000], inp: [200, 500], cls: [0.1, 0.25], fcp: [1800, 3000], ttfb: [800, 1800] } as const;

/** A claim of a request as the beacons had it. */
export interface Joined {
  readonly name: string;
  readonly trace: string;
  readonly source: string;
}

export interface PanelModel {
  readonly stats: () => Stats;
  readonly tally: Tally;
  readonly joined: readonly Joined[];
  /** Requests without a claim. */
  readonly unjoined: () => number;
  readonly explain: () => Promise<unknown>;
}

function make<K extends keyof HTMLElementTagNameMap>(tag: K, text = "", className = ""): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  element.textContent = text;
  if (className) element.className = className;
  return element;
}

const shorten = (text: string) => (text.length > TEXT_CHARS_MAX ? text.slice(0, TEXT_CHARS_MAX - 1) + "…" : text);

/** Rows of cells; a table is written anew only when what it says has changed. */
class Table {
  readonly box = make("details");
  private readonly _body = make("div", "", "rows");
  private readonly _title = make("summary");
  private _shown = "";

  constructor(private readonly _name: string, open = true) {
    this.box.open = open;
    this.box.append(this._title, this._body);
  }

  show(note: string, rows: readonly (readonly [label: string, value: string, className?: string])[]): void {
    const text = JSON.stringify([note, this.box.open && rows]);
    if (text === this._shown) return;
    this._shown = text;
    this._title.textContent = note ? `${this._name} · ${note}` : this._name;
    if (!this.box.open) return;
    this._body.replaceChildren(
      ...rows.map(([label, value, className]) => {
        const row = make("div", "", "row");
        row.append(make("span", shorten(label), "label"), make("span", value, className ?? "value"));
        row.title = label;
        return row;
      }),
    );
  }
}

function vitalRows({ vitals }: Stats): [string, string, string][] {
  return Object.entries(LIMITS).map(([name, [good, poor]]) => {
    const value = vitals?.[name as keyof typeof LIMITS];
    const rating = value === undefined ? "none" : value <= good ? "good" : value <= poor ? "needs improvement" : "poor";
    const shown = value === undefined ? "–" : name === "cls" ? value.toFixed(3) : `${Math.round(value)} ms`;
    return [name.toUpperCase(), value === undefined ? shown : `${shown} · ${rating}`, rating.split(" ")[0]];
  });
}

function ledgerRows(stats: Stats): [string, string, string?][] {
  const bytes = (count = 0) => `${(count / 1024).toFixed(1)} KiB`;
  return [
    ["entries seen", String(stats.entriesSeen ?? 0)],
    ["entries encoded", String(stats.entriesEncoded ?? 0)],
    ["encoded", bytes(stats.bytesEncoded)],
    ["beacons sealed · sent", `${stats.segmentsSealed ?? 0} · ${stats.segmentsSent ?? 0}`],
    ["retries · given up", `${stats.retries ?? 0} · ${stats.segmentsAbandoned ?? 0}`],
    ["main thread", `${(stats.mainThreadMs ?? 0).toFixed(1)} ms`],
    ["waiting for the core", String(stats.queued ?? 0)],
    ...Object.entries(stats.lost ?? {}).map(([reason, count]) => [`lost: ${reason}`, String(count), "poor"] as [string, string, string]),
  ];
}

export function isOfPanel(host: Element): (item: unknown) => boolean {
  return (item) => {
    const { target, sources } = (item ?? {}) as { target?: unknown; sources?: readonly { readonly node?: unknown }[] };
    // From outside, everything in the shadow tree is its host.
    return target === host || (!!sources?.length && sources.every(({ node }) => node === host));
  };
}

export function showPanel(host: HTMLElement, model: PanelModel): () => void {
  const root = host.attachShadow({ mode: "closed" });
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(STYLE);
  root.adoptedStyleSheets = [sheet];

  const panel = make("section", "", "panel");
  panel.setAttribute("aria-label", "Vitrace");
  // A click anywhere in it takes the focus, so that Escape is heard.
  panel.tabIndex = -1;
  const head = make("header");
  const state = make("span", "", "state");
  const button = (text: string, label: string, act: () => void) => {
    const element = make("button", text);
    element.type = "button";
    element.setAttribute("aria-label", label);
    element.addEventListener("click", act);
    return element;
  };
  const tables = make("div", "", "tables");
  tables.tabIndex = 0;
  tables.setAttribute("role", "group");
  tables.setAttribute("aria-label", "what Vitrace has collected");
  const fold = button("–", "fold", () => {
    const folded = panel.classList.toggle("folded");
    fold.textContent = folded ? "+" : "–";
    fold.setAttribute("aria-label", folded ? "unfold" : "fold");
    paint();
  });
  // The console shows an object as a tree: what would be sent can be opened there.
  const say = button("explain", "write what is sent to the console", () => void model.explain().then(console.log, console.warn));
  const close = () => {
    clearInterval(timer);
    host.remove();
  };
  head.append(make("strong", "Vitrace"), state, say, fold, button("×", "close", close));

  const vitals = new Table("Vitals");
  const entries = new Table("Entries");
  const joins = new Table("Traces");
  const ledger = new Table("Ledger");
  const latest = new Table("Latest", false);
  tables.append(...[vitals, entries, joins, ledger, latest].map(({ box }) => box));
  panel.append(head, tables);
  root.append(panel);

  const paint = () => {
    const stats = model.stats();
    state.textContent = [stats.state, stats.transport, stats.reason && shorten(stats.reason)].filter(Boolean).join(" · ");
    if (document.hidden || panel.classList.contains("folded")) return;
    vitals.show("", vitalRows(stats));
    const counts = [...model.tally.counts].sort(([, a], [, b]) => b - a);
    entries.show(String(counts.reduce((sum, [, count]) => sum + count, 0)), counts.map(([kind, count]) => [kind, String(count)]));
    joins.show(
      `${model.joined.length} joined, ${model.unjoined()} not`,
      model.joined.slice(-8).map(({ name, trace, source }) => [name, `${trace.slice(0, 8)}… ${source}`]),
    );
    ledger.show("", ledgerRows(stats));
    latest.show("", model.tally.latest.slice().reverse().map(({ kind, time, text }) => [`${kind} ${text}`, `${Math.round(time)} ms`]));
  };
  const timer = setInterval(paint, REFRESH_MS);
  for (const box of tables.children) box.addEventListener("toggle", paint);
  panel.addEventListener("keydown", (event) => event.key === "Escape" && close());
  document.documentElement.append(host);
  paint();
  return close;
}

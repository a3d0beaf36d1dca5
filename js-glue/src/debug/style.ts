/** Colours have at least 4.5:1 on their ground, in both schemes. `contain`: nothing in here moves or measures the page. */
export const STYLE = `
:host { all: initial; position: fixed; inset: auto 12px 12px auto; z-index: 2147483647; color-scheme: light dark; contain: layout style; }
.panel { --ground: #fff; --ink: #1c2430; --soft: #566070; --line: #d8dde5; --good: #0a6b3d; --needs: #8a5300; --poor: #b3261e;
  box-sizing: border-box; width: 340px; max-width: calc(100vw - 24px); height: min(70vh, 640px); display: flex; flex-direction: column;
  background: var(--ground); color: var(--ink); border: 1px solid var(--line); border-radius: 8px; box-shadow: 0 6px 24px rgb(0 0 0 / .22);
  font: 12px/1.5 system-ui, sans-serif; overflow: hidden; }
@media (prefers-color-scheme: dark) {
  .panel { --ground: #171b22; --ink: #e6eaf0; --soft: #a3adbb; --line: #343b47; --good: #5fd39a; --needs: #f0b45c; --poor: #ff8a80; }
}
header { display: flex; gap: 6px; align-items: center; padding: 6px 8px; border-bottom: 1px solid var(--line); }
.state { flex: 1; color: var(--soft); overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
button { font: inherit; color: inherit; background: none; border: 1px solid var(--line); border-radius: 4px; padding: 0 6px; min-width: 24px; min-height: 24px; cursor: pointer; }
button:hover { background: var(--line); }
:focus-visible { outline: 2px solid #4c8dff; outline-offset: -2px; }
.tables { overflow: auto; overscroll-behavior: contain; padding: 0 8px 8px; }
.folded { height: auto; }
.folded .tables { display: none; }
.folded header { border-bottom: 0; }
summary { cursor: pointer; font-weight: 600; padding: 6px 0 2px; }
.row { display: flex; gap: 8px; justify-content: space-between; }
.label { color: var(--soft); overflow: hidden; text-overflow: ellipsis; white-space: nowrap; min-width: 0; }
.row > :last-child { white-space: nowrap; font-variant-numeric: tabular-nums; }
.good { color: var(--good); } .needs { color: var(--needs); } .poor { color: var(--poor); } .none { color: var(--soft); }
@media (forced-colors: active) { .panel { border: 2px solid; } }
@media print { :host { display: none; } }
`;

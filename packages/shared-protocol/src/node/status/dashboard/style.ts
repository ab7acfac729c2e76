export const STYLE = `
:root {
  color-scheme: light dark;
  --text: light-dark(#1b1f24, #e6e9ed); --soft: light-dark(#59636e, #9aa4af);
  --page: light-dark(#f4f5f7, #14171a); --card: light-dark(#fff, #1d2125); --line: light-dark(#d9dde2, #343a40);
  --good: light-dark(#1a7f37, #4ac26b); --warn: light-dark(#9a6700, #d9a72b); --bad: light-dark(#c62a2f, #ff7b72);
  --send: light-dark(#8250df, #b48ef5); --receive: light-dark(#0969da, #58a6ff);
}
* { box-sizing: border-box; }
body { margin: 0; padding: 1.5rem; background: var(--page); color: var(--text); font: 15px/1.45 system-ui, sans-serif; }
main, header { max-width: 70rem; margin: 0 auto; }
header { display: flex; flex-wrap: wrap; gap: .4rem 1rem; align-items: baseline; }
h1 { font-size: 1.3rem; margin: 0; } h2 { font-size: 1.05rem; margin: 0; }
.soft { color: var(--soft); }
.card { background: var(--card); border: 1px solid var(--line); border-radius: 8px; padding: 1rem; margin: 1rem 0; overflow-x: auto; }
.head { display: flex; flex-wrap: wrap; gap: .3rem 1rem; align-items: baseline; margin-bottom: .6rem; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th { text-align: left; font-weight: 600; color: var(--soft); font-size: .85rem; }
th, td { padding: .35rem .8rem .35rem 0; border-bottom: 1px solid var(--line); vertical-align: top; white-space: nowrap; }
tr:last-child td { border-bottom: 0; }
td.wrap { white-space: normal; overflow-wrap: anywhere; max-width: 22rem; }
th.num, .num { text-align: right; }
.state { font-weight: 600; } .state::before { content: "\\25CF\\00A0"; }
.up { color: var(--good); } .connecting, .probation, .degraded { color: var(--warn); }
.suspect, .down { color: var(--bad); } .disabled { color: var(--soft); }
.bar { width: 9rem; height: .5rem; margin-top: .2rem; background: var(--line); border-radius: 4px; overflow: hidden; }
.bar > i { display: block; height: 100%; width: 0; }
.send > i { background: var(--send); } .receive > i { background: var(--receive); }
#trouble { border-color: var(--bad); color: var(--bad); font-weight: 600; }
.stale { opacity: .45; }
select { font: inherit; color: inherit; background: var(--page); border: 1px solid var(--line); border-radius: 4px; }
a { color: var(--receive); }
[hidden] { display: none !important; }
`;

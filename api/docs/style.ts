/** Roles as in `api/ui/styles/tokens.css`, with which it shares its looks; both themes, as the reader's machine asks. */
export const DOCS_STYLE = `:root {
  color-scheme: light dark;
  --page: light-dark(#f5f5f2, #131417);
  --surface: light-dark(#ffffff, #1a1c20);
  --sunken: light-dark(#ededea, #0e0f11);
  --ink: light-dark(#17191c, #e7e8ea);
  --ink-2: light-dark(#55595f, #a4a9b1);
  --line: light-dark(#e1e1dc, #2b2e33);
  --here: light-dark(#2a54cc, #8db0ff);
}
* { box-sizing: border-box; }
html { scroll-padding-top: 1rem; }
body {
  margin: 0 auto; padding: 1rem; max-width: 76rem;
  background: var(--page); color: var(--ink);
  font: 0.9375rem/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "Liberation Sans", sans-serif;
  overflow-wrap: anywhere;
}
a { color: var(--here); }
:focus-visible { outline: 2px solid var(--here); outline-offset: 2px; }
code, pre, .method { font: 0.8125rem/1.5 ui-monospace, Menlo, Consolas, "DejaVu Sans Mono", monospace; }
h1 { margin: 0; font-size: 1.5rem; }
h2 { margin: 2.5rem 0 0.25rem; font-size: 1.25rem; }
h3 { margin: 0; font-size: 1rem; font-weight: 600; }
h3 a { color: inherit; text-decoration: none; }
h3 a:hover { text-decoration: underline; }
h4 { margin: 1rem 0 0.25rem; font-size: 0.875rem; }
p { margin: 0.25rem 0; max-width: 44rem; }
header p { color: var(--ink-2); }
nav ul { margin: 0.25rem 0 0.75rem; padding: 0; list-style: none; }
nav li a { display: block; padding: 0.25rem 0; text-decoration: none; }
nav summary, details > summary { cursor: pointer; padding: 0.25rem 0; }
article {
  margin: 1rem 0; padding: 1rem;
  border: 1px solid var(--line); border-radius: 5px; background: var(--surface);
}
article:target { border-color: var(--here); }
.method { font-weight: 700; }
.summary { font-weight: 600; }
.type, .may, .limits { color: var(--ink-2); font-size: 0.8125rem; font-weight: 400; }
dl { margin: 0.25rem 0; }
dt { margin-top: 0.5rem; }
dd { margin: 0 0 0 1rem; max-width: 44rem; }
dd dl { padding-left: 0.75rem; border-left: 2px solid var(--line); }
.answers dt { float: left; clear: left; margin-top: 0; min-width: 4.5rem; }
.answers dd { margin-left: 4.5rem; min-height: 1.5rem; }
pre {
  margin: 0.75rem 0 0; padding: 0.75rem; max-height: 24rem; overflow: auto;
  border-radius: 5px; background: var(--sunken); overflow-wrap: normal;
}
@media (width >= 60rem) {
  body { display: grid; grid-template-columns: 19rem minmax(0, 1fr); column-gap: 2rem; }
  header { grid-column: 1 / -1; }
  nav { position: sticky; top: 0; max-height: 100vh; overflow: auto; align-self: start; padding-block: 0.5rem; }
}
`;

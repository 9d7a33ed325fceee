import { html } from 'hono/html';
import { type ApiDocument, METHODS } from './document.ts';
import { type Call, operationHtml } from './operation.ts';
import { fields, limitWords, typeWords } from './schema.ts';
import { inline, prose } from './text.ts';

/** What the page looks like lies there. */
export const STYLE_PATH = '/docs/style.css';

/** The description of the API as a page: calls by topic, each with what it takes and answers, then the schemas. Pure. */
export function docsPage(document: ApiDocument): string {
  const { title, description } = document.info;
  const calls = callsOf(document);
  const tags = (document.tags ?? []).map((tag) => ({
    ...tag,
    calls: calls.filter(({ operation }) => operation.tags?.[0] === tag.name),
  }));
  const schemas = Object.entries(document.components?.schemas ?? {});
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>API of ${title}</title>
<link rel="stylesheet" href="${STYLE_PATH}">
</head>
<body>
<header>
<p><a href="/ui">${title}</a></p>
<h1>API</h1>
<p>The same for programs: <a href="/openapi.json">/openapi.json</a></p>
</header>
<nav aria-label="Calls">
${tags.map(
  (tag) => html`<details open><summary>${tag.name}</summary>
<ul>
${tag.calls.map(({ path, method, operation }) => html`<li><a href="#${operation.operationId}"><span class="method">${method.toUpperCase()}</span> ${path}</a></li>\n`)}</ul></details>
`,
)}<p><a href="#schemas">Schemas</a></p>
</nav>
<main>
<section aria-label="About">${prose(description)}</section>
${tags.map(
  (tag) => html`<section aria-labelledby="tag-${tag.name}">
<h2 id="tag-${tag.name}">${tag.name}</h2>
<p>${inline(tag.description)}</p>
${tag.calls.map((call) => operationHtml(document, call))}</section>
`,
)}<section aria-labelledby="schemas">
<h2 id="schemas">Schemas</h2>
${schemas.map(
  ([name, schema]) => html`<article id="schema-${name}" aria-labelledby="schema-${name}-name">
<h3 id="schema-${name}-name"><a href="#schema-${name}">${name}</a> <span class="type">${typeWords(schema)}</span></h3>
${prose(schema.description)}${prose(limitWords(schema))}${fields(schema)}
</article>
`,
)}</section>
</main>
</body>
</html>
`;
  return String(page);
}

/** Every call, in the order of the document. */
export function callsOf({ paths }: ApiDocument): Call[] {
  return Object.entries(paths).flatMap(([path, item]) =>
    METHODS.flatMap((method) => {
      const operation = item[method];
      return operation === undefined ? [] : [{ path, method, item, operation }];
    }),
  );
}

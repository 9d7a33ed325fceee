import { html } from 'hono/html';
import {
  type ApiDocument,
  type ApiResponse,
  type Content,
  type Method,
  type Operation,
  type Parameter,
  type PathItem,
  resolved,
} from './document.ts';
import { exampleOf } from './example.ts';
import { fields, limitWords, typeWords } from './schema.ts';
import { codeBlock, type Html, inline, prose } from './text.ts';

/** One call of the API. */
export interface Call {
  path: string;
  method: Method;
  item: PathItem;
  operation: Operation;
}

/** All about one call: what it takes, what it answers, and how to try it. */
export function operationHtml(document: ApiDocument, { path, method, item, operation }: Call): Html {
  const { operationId: id, summary, description, requestBody, responses } = operation;
  const all = [...(item.parameters ?? []), ...(operation.parameters ?? [])];
  const parameters = all.map((one) => resolved<Parameter>(document, one));
  return html`<article id="${id}" aria-labelledby="${id}-name">
<h3 id="${id}-name"><a href="#${id}"><span class="method">${method.toUpperCase()}</span> ${breakable(path)}</a></h3>
<p class="summary">${inline(summary)}</p>
${prose(item.description)}${prose(description)}${securityHtml(document, operation)}
${parameters.length === 0 ? '' : html`<h4>Takes</h4>${parametersHtml(parameters)}`}
${requestBody === undefined ? '' : html`<h4>Body${requestBody.required === true ? '' : ', which may be left out'}</h4>${prose(requestBody.description)}${contentHtml(requestBody.content)}`}
<h4>Answers</h4>
<dl class="answers">
${Object.entries(responses).map(([code, one]) => responseHtml(document, code, resolved<ApiResponse>(document, one)))}</dl>
${codeBlock(`Try ${method.toUpperCase()} ${path}`, curlLine(document, path, method, operation))}
${answerExample(document, operation)}
</article>
`;
}

/** A path may be broken at its slashes, or it is wider than a phone. */
function breakable(path: string): Html {
  return html`${path.split(/(?=\/)/).map((part) => html`${part}<wbr>`)}`;
}

function securityHtml(document: ApiDocument, { security = [] }: Operation): Html {
  const schemes = security
    .flatMap((one) => Object.keys(one))
    .map((name) => document.components?.securitySchemes?.[name]);
  if (schemes.length === 0) return html``;
  return html`<h4>Needs one of the headers</h4>
<dl class="fields">
${schemes.map((one) => html`<dt><code>${one?.name ?? ''}</code></dt><dd>${inline(one?.description)}</dd>\n`)}</dl>`;
}

function parametersHtml(parameters: readonly Parameter[]): Html {
  return html`<dl class="fields">
${parameters.map((one) => {
  const limits = limitWords(one.schema ?? {});
  return html`<dt><code>${one.name}</code> <span class="type">${one.in}, ${typeWords(one.schema ?? {})}</span>${
    one.required === true ? '' : html` <span class="may">may be missing</span>`
  }</dt>
<dd>${inline(one.description)}${limits === '' ? '' : html` <span class="limits">${inline(limits)}</span>`}</dd>
`;
})}</dl>`;
}

function contentHtml(content: Content): Html {
  return html`${Object.entries(content).map(
    ([type, { schema }]) =>
      html`<p class="content"><code>${type}</code>${schema === undefined ? '' : html` <span class="type">${typeWords(schema)}</span>`}</p>${
        schema === undefined ? '' : fields(schema)
      }`,
  )}`;
}

function responseHtml(
  document: ApiDocument,
  code: string,
  { description, content, headers }: ApiResponse,
): Html {
  const named = Object.entries(headers ?? {});
  return html`<dt><code>${code}</code></dt>
<dd>${inline(description)}${content === undefined ? '' : contentHtml(content)}${
    named.length === 0
      ? ''
      : html`<p class="content">With ${named.map(
          ([name, one], index) =>
            html`${index > 0 ? '; ' : ''}<code>${name}</code>: ${inline(resolved<{ description?: string }>(document, one).description)}`,
        )}</p>`
  }</dd>
`;
}

/** As it is typed at a terminal of the host's machine. */
export function curlLine(document: ApiDocument, path: string, method: Method, operation: Operation): string {
  const words = ['curl'];
  if (method === 'head') words.push('--head');
  else if (method !== 'get') words.push('-X', method.toUpperCase());
  words.push(
    `"http://localhost:9000${path
      .replace('{id}', 'my-program')
      .replace('{path}', '')
      .replace(/\{\w+\}/g, '1')}"`,
  );
  const [content] = Object.entries(operation.requestBody?.content ?? {});
  if (content === undefined) return words.join(' ');
  const [type, { schema = {}, example }] = content;
  const isJson = type === 'application/json';
  const body = isJson
    ? quoted(JSON.stringify(example ?? exampleOf(document, schema), null, 2))
    : type === 'application/x-tar'
      ? '@state.tar'
      : '@program.yaml';
  return `${words.join(' ')} \\\n  -H 'Content-Type: ${type}' ${isJson ? '-d' : '--data-binary'} ${body}`;
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}

/** What a call that goes well is answered, where that is JSON. */
function answerExample(document: ApiDocument, { responses }: Operation): Html {
  const [good] = Object.entries(responses).find(([code]) => code.startsWith('2')) ?? [];
  if (good === undefined) return html``;
  const { content } = resolved<ApiResponse>(document, responses[good] as ApiResponse);
  const { schema } = content?.['application/json'] ?? {};
  if (schema === undefined) return html``;
  const text = JSON.stringify(exampleOf(document, schema), null, 2);
  return html`<details><summary>An answer, as an example</summary>${codeBlock('Example of an answer', text)}</details>`;
}

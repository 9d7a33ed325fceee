import assert from 'node:assert/strict';
import { SourceMap, type SourceMapPayload } from 'node:module';
import { test } from 'node:test';
import { build } from 'esbuild';

interface Place {
  place: string;
  line: number;
  column: number;
}

/** Plain JavaScript, as it has to be. */
const { originalsOf } = (await import(
  new URL('../../controller/source-places.mjs', import.meta.url).href
)) as { originalsOf(mappings: string, wanted: readonly Place[]): Place[] };

const SOURCE = `
/** A comment that goes. */
interface Gone { a: number }
export const one = (given: Gone): number => given.a + 1;

export class Two {
  static readonly all = [1, 2, 3].map((each) => one({ a: each }));
  fails(): never {
    throw new Error(\`\${Two.all.join()} of \${one({ a: 2 })}\`);
  }
}
`;

test('each place of a file comes from where Node says that it comes from', async () => {
  for (const minifyWhitespace of [false, true]) {
    const { outputFiles } = await build({
      stdin: { contents: SOURCE, loader: 'ts', sourcefile: 'source.ts' },
      ...{ bundle: true, write: false, sourcemap: 'external', outfile: 'out.js', minifyWhitespace },
    });
    const [map = '', code = ''] = outputFiles.map(({ text }) => text);
    const payload = JSON.parse(map) as SourceMapPayload;
    const wanted = code
      .split('\n')
      .flatMap((text, line) =>
        Array.from(text, (_, column) => ({ line, column, place: `${line}:${column}` })),
      );
    const told = new Map(originalsOf(payload.mappings, wanted).map((one) => [one.place, one]));
    assert.ok(told.size > 100);
    const node = new SourceMap(payload);
    for (const { place, line, column } of wanted) {
      const entry = node.findEntry(line, column);
      // Node goes on with the last place of the lines before.
      const isOfLine = 'originalLine' in entry && entry.generatedLine === line;
      const { line: ofLine, column: ofColumn } = told.get(place) ?? {};
      const want = isOfLine ? [entry.originalLine, entry.originalColumn] : [undefined, undefined];
      assert.deepEqual([ofLine, ofColumn], want, place);
    }
  }
});

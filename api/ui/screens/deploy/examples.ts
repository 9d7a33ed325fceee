/// <reference types="vite/client" />
/** The repository's examples as text, bundled with the page. Of its own file, since few ask for them. */
const FILES: Record<string, string> = import.meta.glob('../../../../examples/*/**/*', {
  query: '?raw',
  import: 'default',
  eager: true,
});

/** What tells people and hosts of an example and is no part of its sources. */
const LEFT_OUT = new Set(['README.md', 'program.yaml']);

/** @param name of its folder */
export function exampleFiles(name: string): Record<string, string> {
  const start = `../../../../examples/${name}/`;
  const own = Object.entries(FILES).filter(([path]) => path.startsWith(start));
  return Object.fromEntries(
    own
      .map(([path, text]) => [path.slice(start.length), text] as const)
      .filter(([file]) => !LEFT_OUT.has(file)),
  );
}

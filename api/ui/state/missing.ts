/** Why a part of the page that is fetched when it is wanted did not come. */
export type Missing =
  /** The host has another page by now, and no longer the files of this one. */
  | 'updated'
  /** The host does not answer. */
  | 'away'
  /** It has the files of this page, and this one could not be had all the same. */
  | 'broken';

/** @param html the page as the host has it now; undefined where it did not answer @param own what this page began with */
export function missingOf(html: string | undefined, own: string | undefined): Missing {
  if (html === undefined) return 'away';
  return own === undefined || html.includes(own) ? 'broken' : 'updated';
}

/** To be asked when an `import()` has failed. Never rejects. */
export async function whyMissing(): Promise<Missing> {
  const html = await fetch('/ui/', { cache: 'no-store' }).then(
    async (answer) => (answer.ok ? await answer.text() : undefined),
    () => undefined,
  );
  return missingOf(html, ownScript());
}

/** The path of the script that the page began with: its name changes with what is in it, or in what it loads. */
function ownScript(): string | undefined {
  const script = document.querySelector<HTMLScriptElement>('script[type="module"][src]');
  return script === null ? undefined : new URL(script.src).pathname;
}

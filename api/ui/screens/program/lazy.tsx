import type { ComponentChildren } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { Button } from '../../parts/button.tsx';
import type { PartProps } from '../../parts/part-props.ts';

export type Part = (props: PartProps) => ComponentChildren;
export type Load = () => Promise<Part>;

/** What has come is there at once the next time. */
const loaded = new Map<Load, Part>();

/** A part whose code comes when it is looked at. */
export function Lazy({ load, ...props }: PartProps & { load: Load }) {
  const [, draw] = useState(0);
  const [why, setWhy] = useState('');
  const bring = () => {
    setWhy('');
    load().then(
      (part) => {
        loaded.set(load, part);
        draw((n) => n + 1);
      },
      (error: unknown) => setWhy(error instanceof Error ? error.message : String(error)),
    );
  };
  useEffect(() => {
    if (!loaded.has(load)) bring();
  }, [load]);
  const Found = loaded.get(load);
  if (Found !== undefined) return <Found {...props} />;
  if (why === '') return <p class="bare">Loading…</p>;
  return (
    <p class="bare">
      This part of the page did not come: {why}. <Button onClick={bring}>Try again</Button>{' '}
      <Button onClick={() => location.reload()}>Load the page anew</Button>
    </p>
  );
}

import type { ComponentChildren } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { NotCome } from '../../parts/not-come.tsx';
import type { PartProps } from '../../parts/part-props.ts';
import { type Missing, whyMissing } from '../../state/missing.ts';

export type Part = (props: PartProps) => ComponentChildren;
export type Load = () => Promise<Part>;

/** What has come is there at once the next time. */
const loaded = new Map<Load, Part>();

/** A part whose code comes when it is looked at. With another `load` it has to be another one: give it a key. */
export function Lazy({ load, ...props }: PartProps & { load: Load }) {
  // Whatever comes between this and the effect is asked for again, and told of then.
  const [Found, setFound] = useState(() => loaded.get(load));
  const [why, setWhy] = useState<Missing>();
  const bring = () => {
    setWhy(undefined);
    load().then(
      (part) => {
        loaded.set(load, part);
        setFound(() => part);
      },
      async () => setWhy(await whyMissing()),
    );
  };
  useEffect(() => {
    if (Found === undefined) bring();
  }, []);
  if (Found !== undefined) return <Found {...props} />;
  if (why === undefined) return <p class="bare">Loading…</p>;
  return <NotCome why={why} what="This part of the page" onAgain={bring} />;
}

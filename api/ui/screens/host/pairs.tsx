import type { ComponentChildren } from 'preact';

/** A part of the screen with its heading. */
export function Part({ title, n, children }: { title: string; n?: string; children: ComponentChildren }) {
  return (
    <section class="part">
      <h2>
        {title}
        {n !== undefined && <span class="n">{n}</span>}
      </h2>
      {children}
    </section>
  );
}

/** What is known of something, in pairs. */
export function Pairs({ list }: { list: readonly (readonly [name: string, what: ComponentChildren])[] }) {
  return (
    <dl class="pairs">
      {list.map(([name, what]) => [<dt key={name}>{name}</dt>, <dd key={`${name} is`}>{what}</dd>])}
    </dl>
  );
}

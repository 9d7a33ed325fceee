/** Two texts, line by line. @param props.context lines around a change */
export function DiffView({ before, after }: { before: string; after: string; context?: number }) {
  return <pre class="mono">{`${before}\n${after}`}</pre>;
}

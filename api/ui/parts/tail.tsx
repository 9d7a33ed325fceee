/** More is in the logs. */
const LINES_MAX = 14;

/** The last lines of a run, with what they are. */
export function Tail({ text, label }: { text: string; label: string }) {
  const lines = text.replace(/\n+$/, '').split('\n').slice(-LINES_MAX);
  return (
    <figure class="tail">
      <figcaption>{label}</figcaption>
      <pre tabIndex={0} aria-label={label}>
        {lines.join('\n')}
      </pre>
    </figure>
  );
}

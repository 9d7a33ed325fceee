/** The last lines of a run, with what they are. */
export function Tail({ text, label }: { text: string; label: string }) {
  return (
    <figure class="tail">
      <figcaption>{label}</figcaption>
      <pre tabIndex={0} aria-label={label}>
        {text}
      </pre>
    </figure>
  );
}

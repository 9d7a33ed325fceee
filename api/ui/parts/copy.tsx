import { useState } from 'preact/hooks';
import { announce } from '../state/announce.ts';

/** "Copied" stands so long, in milliseconds. */
const SAID_MS = 1_600;

/** Takes text away. @param props.of what it is, for screen readers */
export function CopyButton({
  text,
  of,
  word = 'Copy',
}: {
  text: string | (() => string);
  of: string;
  word?: string;
}) {
  const [said, say] = useState(word);
  const copy = async () => {
    const taken = typeof text === 'string' ? text : text();
    const isDone = await navigator.clipboard.writeText(taken).then(
      () => true,
      () => false,
    );
    say(isDone ? 'Copied' : 'Select it');
    announce(isDone ? 'Copied' : 'The browser does not let this page copy: select the text');
    setTimeout(() => say(word), SAID_MS);
  };
  return (
    <button type="button" class="copy" aria-label={word === 'Copy' ? `Copy ${of}` : undefined} onClick={copy}>
      <span>{said}</span>
    </button>
  );
}

/** A command, an id: shown, and to be taken away. */
export function Copy({ text }: { text: string }) {
  return (
    <span class="copyable">
      <code>{text}</code>
      <CopyButton text={text} of={text} />
    </span>
  );
}

/** The same of several lines. */
export function CopyLines({ text }: { text: string }) {
  return (
    <span class="copyable long">
      <pre class="mono" tabIndex={0}>
        {text}
      </pre>
      <CopyButton text={text} of="the lines" />
    </span>
  );
}

import { useId, useRef, useState } from 'preact/hooks';
import { Button } from '../../parts/button.tsx';
import { Result } from '../../parts/small.tsx';
import { Time } from '../../parts/time.tsx';
import { wordsOfError } from '../../state/acts.ts';
import { client } from '../../state/client.ts';
import { noteSent, sentTo } from './sent.ts';
import { useAfter } from './use-after.ts';

/** Sends a message to the program's Manage(), and shows what it prints after. @param props.why it can not be sent now */
export function MessageBox({ name, why }: { name: string; why: string | undefined }) {
  const [text, type] = useState('');
  const [sent, note] = useState(() => sentTo(name));
  const [error, say] = useState('');
  const back = useRef(0);
  const input = useRef<HTMLInputElement>(null);
  const id = useId();
  const { lines, isOpen, around } = useAfter(name);
  const send = async () => {
    const message = text.trim();
    if (message === '' || why !== undefined) return;
    try {
      await around(() => client.tell(name, message));
      note(noteSent(name, message));
      say('');
      type('');
      back.current = 0;
    } catch (refused) {
      say(`It was not sent: ${wordsOfError(refused)}`);
    }
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === 'Enter') void send();
    if (event.key !== 'ArrowUp' && event.key !== 'ArrowDown') return;
    event.preventDefault();
    back.current = Math.min(sent.length, Math.max(0, back.current + (event.key === 'ArrowUp' ? 1 : -1)));
    type(back.current === 0 ? '' : (sent.at(-back.current)?.text ?? ''));
  };
  return (
    <section class="w-side">
      <h3>
        <label for={id}>Send a message</label>
      </h3>
      <div class="send">
        <input
          {...{ id, ref: input, value: text, autocomplete: 'off', spellcheck: false, onKeyDown }}
          placeholder="A message to Manage()"
          onInput={(event) => type(event.currentTarget.value)}
        />
        <Button kind="primary" onClick={() => void send()} disabled={why !== undefined} title={why}>
          Send
        </Button>
      </div>
      <Result role={error === '' ? '' : 'bad'}>{error}</Result>
      {lines !== undefined && (
        <>
          <h3>What it printed after{isOpen && <span class="n">as it comes, for 10 s</span>}</h3>
          <pre class="answer" tabIndex={0} aria-label="What it printed after the message">
            {lines.length > 0 ? lines.join('\n') : isOpen ? 'Nothing yet.' : 'Nothing within 10 s.'}
          </pre>
        </>
      )}
      {sent.length > 0 && <h3>Sent from this tab</h3>}
      <ol class="sent">
        {[...sent].reverse().map(({ text: one, at }) => (
          <li key={at}>
            <Button
              kind="text"
              onClick={() => {
                type(one);
                input.current?.focus();
              }}
            >
              {one}
            </Button>
            <span class="note">
              <Time at={at} />
            </span>
          </li>
        ))}
      </ol>
      {sent.length > 0 && <p class="note">Arrow up brings the last one back.</p>}
    </section>
  );
}

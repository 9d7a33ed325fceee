import { useEffect, useRef, useState } from 'preact/hooks';
import { Button } from '../../parts/button.tsx';
import { CopyLines } from '../../parts/copy.tsx';
import { Sign } from '../../parts/glyph.tsx';
import { Mono } from '../../parts/small.tsx';
import { type SignInRefusal, signIn } from '../../state/session.ts';

const NOTHING: SignInRefusal = { message: '', hint: '' };
const EMPTY: SignInRefusal = { message: 'There is no token yet.', hint: 'Paste it here.' };

/** A token, which is traded for a session and not kept. */
export function SignInScreen() {
  const input = useRef<HTMLInputElement>(null);
  const [refusal, setRefusal] = useState(NOTHING);
  const [isShown, setShown] = useState(false);
  const [isAsking, setAsking] = useState(false);
  useEffect(() => {
    document.title = 'Sign in · Hersh Host';
    input.current?.focus();
  }, []);
  const enter = async (event: Event) => {
    event.preventDefault();
    const token = input.current?.value.trim() ?? '';
    if (isAsking) return;
    setAsking(true);
    setRefusal(token === '' ? EMPTY : await signIn(token));
    setAsking(false);
    input.current?.focus();
  };
  const isRefused = refusal.message !== '';
  return (
    <form class="signin" onSubmit={(event) => void enter(event)}>
      <h1>Sign in</h1>
      <p class="note">
        <Mono>{location.host}</Mono> asks for a token.
      </p>
      <div class="field">
        <label for="token">Token</label>
        <div class="send">
          <input
            ref={input}
            id="token"
            // Of one kind or the other, which its types do not know.
            type={(isShown ? 'text' : 'password') as 'password'}
            autocomplete="current-password"
            autocapitalize="off"
            spellcheck={false}
            aria-describedby="token-says"
            aria-invalid={isRefused ? 'true' : undefined}
          />
          <Button kind="quiet" label="Show the token" pressed={isShown} onClick={() => setShown(!isShown)}>
            {isShown ? 'Hide' : 'Show'}
          </Button>
        </div>
      </div>
      <p class="field-says" id="token-says" role="alert">
        {isRefused && (
          <>
            <Sign role="bad" />
            <span>
              <b>{refusal.message}</b> {refusal.hint}
            </span>
          </>
        )}
      </p>
      <button class="button primary big" type="submit">
        Sign in
      </button>
      <div class="signin-more">
        <p>
          <b>Where do I get one?</b> From whoever runs the host, on its machine:
        </p>
        <CopyLines text="hershctl token create --name ana --role user --user ana" />
        <p>
          The token goes to this host alone, never in a URL, and is not kept. You stay signed in for 12 hours.
        </p>
      </div>
    </form>
  );
}

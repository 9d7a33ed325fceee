import { render } from 'preact';
import './styles/page.css';
import { Page } from './page.tsx';
import { startHost } from './state/host.ts';
import { startKeys } from './state/keys.ts';
import { startClock } from './state/now.ts';
import { startRouting } from './state/route.ts';
import { startStream } from './state/stream.ts';
import { startUsage } from './state/usage.ts';

startClock();
startRouting();
startKeys();
void startStream();
startHost();
startUsage();

const place = document.getElementById('page');
if (place !== null) render(<Page />, place);

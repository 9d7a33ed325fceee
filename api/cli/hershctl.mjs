#!/usr/bin/env node
// `hershctl`, from the sources as they are. Plain Node, so that no loader has to be there first.
import { register } from 'tsx/esm/api';

register();
await import('./bin.ts');

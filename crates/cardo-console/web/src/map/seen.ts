/** What is learnt of types while one looks at them. */
import { createStore } from "../app/store.ts";

const none: ReadonlySet<string> = new Set();

/** Types that were seen to move, though nothing said that they would. */
export const seenMoving = createStore(none);

/** Types whose entities have geometries of several kinds. */
export const seenMixed = createStore(none);

/** What only tests need. */

export { TURN_AWAY_MS, TURNED_AWAY } from "./limits/turn-away.ts";

export { deriveConnectToken, derivePsk, pskIdentity, SECRET_LENGTH } from "./derive.ts";
export { formatIdentity, generateSecret, loadIdentity, parseIdentity, parseSecretText } from "./identity.ts";
export { formatPairing, type Pairing, parsePairing } from "./pairing.ts";
export { Secret } from "./secret.ts";

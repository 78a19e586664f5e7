/** Colours of every page that we make, light and dark. */
export const PALETTE = `:root{color-scheme:light dark;--bg:#f6f7f9;--card:#fff;--ink:#1c2330;--dim:#5d6778;--rule:#dfe3ea;--ok:#1d7f4e;--warn:#9a6100;--bad:#b3261e;--s0:#3f8f6b;--s1:#c8443a;--s2:#8b93a3;--line:#2f5fb3}
@media (prefers-color-scheme:dark){:root{--bg:#12161d;--card:#1b212b;--ink:#e6e9ef;--dim:#9aa4b5;--rule:#303947;--ok:#62c894;--warn:#e0a94a;--bad:#f2877f;--s0:#4da27d;--s1:#dd6a60;--s2:#727c8e;--line:#7fa6ec}}
`;

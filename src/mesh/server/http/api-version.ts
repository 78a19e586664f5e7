/** Version of the mesh's HTTP interface; it changes when a client must. */
export const VERSION = '1.0.0';

/** Version of the mesh's HTTP interface; it changes when a client must. */
export const API_VERSION = '1.0.0';

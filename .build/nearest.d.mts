export declare const UNIT_FOLDERS: readonly string[];

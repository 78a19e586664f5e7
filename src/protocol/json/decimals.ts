const SMALLEST_NORMAL = 2 ** -1022;

/**
 * True when `value`, the double nearest to the JSON number `written`, is another decimal number. What is signed is the
 * double's own spelling: were other digits read as the same double, they could be changed after signing, and a reader with
 * exact numbers would act on them. Up to 15 digits of usual size are never lost.
 */
export function losesDigits(written: string, value: number): boolean {
  const doubtful = written.length > 15 || Math.abs(value) < SMALLEST_NORMAL;
  return doubtful && decimalOf(written) !== decimalOf(String(value));
}

/** One spelling for each decimal number, whatever zeros and exponent it was written with. */
function decimalOf(text: string): string {
  const [, sign, whole, fraction = '', exponent = '0'] = /^(-?)(\d+)(?:\.(\d+))?(?:e([+-]?\d+))?$/i.exec(text)!;
  const digits = (whole! + fraction).replace(/^0+/, '');
  let end = digits.length;
  while (end > 0 && digits.charCodeAt(end - 1) === 0x30) end--;
  return end === 0 ? '0' : `${sign}${digits.slice(0, end)}e${Number(exponent) - fraction.length + digits.length - end}`;
}

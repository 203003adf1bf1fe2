// What the user's suite C gives to the checks, to the letter.

/** 351 lines, the last of them without an end: 350 as `wc -l` counts them. */
export const TOO_LONG_TEXT = `# Test\n${Array.from({ length: 350 }, (_, at) => `line_${at}`).join('\n')}`

/** McCabe's number is 9 (1 + five if + three for), the cognitive complexity 36. */
export const OVERLY_COMPLEX_FUNCTION = `
def overly_complex_function(a, b, c, d, e):
    if a > 0:
        if b > 0:
            if c > 0:
                if d > 0:
                    if e > 0:
                        for i in range(10):
                            for j in range(10):
                                for k in range(10):
                                    print(i, j, k)
    `

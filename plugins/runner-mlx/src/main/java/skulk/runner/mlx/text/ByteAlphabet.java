package skulk.runner.mlx.text;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;

/**
 * How a vocabulary spells bytes. Byte-level BPE (GPT-2) writes each byte as one printable character; SentencePiece
 * writes spaces as U+2581 and bytes outside its alphabet as {@code <0xAB>}.
 */
enum ByteAlphabet {
    BYTE_LEVEL {
        @Override
        byte[] bytes(String piece) {
            ByteArrayOutputStream out = new ByteArrayOutputStream(piece.length());
            for (int i = 0; i < piece.length(); i++) {
                int value = byteOf(piece.charAt(i));
                if (value < 0) {
                    // a character outside the alphabet stands for itself, as in the library's decoder
                    return piece.getBytes(StandardCharsets.UTF_8);
                }
                out.write(value);
            }
            return out.toByteArray();
        }
    },
    SENTENCE_PIECE {
        @Override
        byte[] bytes(String piece) {
            if (piece.length() == 6 && piece.startsWith("<0x") && piece.endsWith(">")) {
                try {
                    return new byte[] {(byte) Integer.parseInt(piece, 3, 5, 16)};
                } catch (NumberFormatException e) {
                    return piece.getBytes(StandardCharsets.UTF_8);
                }
            }
            return piece.replace('\u2581', ' ').getBytes(StandardCharsets.UTF_8);
        }
    };

    /** First of the 68 characters that stand for bytes without a printable character of their own. */
    private static final int SHIFTED = 256;

    /** The bytes of one vocabulary entry. */
    abstract byte[] bytes(String piece);

    /** The inverse of GPT-2's {@code bytes_to_unicode}, -1 where the character is not in its image. */
    private static int byteOf(char c) {
        if (printable(c)) {
            return c;
        }
        int rank = c - SHIFTED;
        if (rank < 0 || rank > 67) {
            return -1;
        }
        if (rank <= 32) {
            return rank;
        }
        return rank < 67 ? 0x7F + (rank - 33) : 0xAD;
    }

    private static boolean printable(int c) {
        return (c >= '!' && c <= '~') || (c >= 0xA1 && c <= 0xAC) || (c >= 0xAE && c <= 0xFF);
    }
}

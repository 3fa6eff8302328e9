package skulk.runner.mlx.template;

import java.time.LocalDateTime;
import java.time.ZoneId;
import java.time.format.TextStyle;
import java.time.temporal.ChronoField;
import java.time.temporal.IsoFields;
import java.util.Locale;

/** {@code strftime} in the C locale with glibc's flags, for a time without zone. */
final class Strftime {
    private Strftime() {}

    static String format(String format, LocalDateTime time) {
        StringBuilder result = new StringBuilder();
        for (int i = 0; i < format.length(); i++) {
            char c = format.charAt(i);
            if (c != '%' || i + 1 == format.length()) {
                result.append(c);
                continue;
            }
            int start = i++;
            char flag = "-_0^#".indexOf(format.charAt(i)) >= 0 && i + 1 < format.length() ? format.charAt(i++) : ' ';
            String field = field(format.charAt(i), flag, time);
            result.append(field == null ? format.substring(start, i + 1) : flag == '^' ? upper(field) : field);
        }
        return result.toString();
    }

    private static String upper(String text) {
        return text.toUpperCase(Locale.ROOT);
    }

    /** One conversion, null where there is none of that letter. */
    private static String field(char letter, char flag, LocalDateTime time) {
        return switch (letter) {
            case 'a' -> time.getDayOfWeek().getDisplayName(TextStyle.SHORT, Locale.ENGLISH);
            case 'A' -> time.getDayOfWeek().getDisplayName(TextStyle.FULL, Locale.ENGLISH);
            case 'b', 'h' -> time.getMonth().getDisplayName(TextStyle.SHORT, Locale.ENGLISH);
            case 'B' -> time.getMonth().getDisplayName(TextStyle.FULL, Locale.ENGLISH);
            case 'p' -> flag == '#' ? upperOrLower(time).toLowerCase(Locale.ROOT) : upperOrLower(time);
            case 'P' -> upperOrLower(time).toLowerCase(Locale.ROOT);
            case 'c' -> format("%a %b %e %H:%M:%S %Y", time);
            case 'x', 'D' -> format("%m/%d/%y", time);
            case 'X', 'T' -> format("%H:%M:%S", time);
            case 'F' -> format("%Y-%m-%d", time);
            case 'R' -> format("%H:%M", time);
            case 'r' -> format("%I:%M:%S %p", time);
            case 'n' -> "\n";
            case 't' -> "\t";
            case '%' -> "%";
            case 'z', 'Z' -> "";
            case 's' -> Long.toString(time.atZone(ZoneId.systemDefault()).toEpochSecond());
            default -> number(letter, flag, time);
        };
    }

    private static String upperOrLower(LocalDateTime time) {
        return time.getHour() < 12 ? "AM" : "PM";
    }

    private static String number(char letter, char flag, LocalDateTime time) {
        int hour12 = time.get(ChronoField.CLOCK_HOUR_OF_AMPM);
        int weekday = time.getDayOfWeek().getValue();
        return switch (letter) {
            case 'd' -> pad(time.getDayOfMonth(), 2, '0', flag);
            case 'e' -> pad(time.getDayOfMonth(), 2, ' ', flag);
            case 'm' -> pad(time.getMonthValue(), 2, '0', flag);
            case 'y' -> pad(time.getYear() % 100, 2, '0', flag);
            case 'Y' -> pad(time.getYear(), 1, '0', flag);
            case 'C' -> pad(time.getYear() / 100, 2, '0', flag);
            case 'H' -> pad(time.getHour(), 2, '0', flag);
            case 'k' -> pad(time.getHour(), 2, ' ', flag);
            case 'I' -> pad(hour12, 2, '0', flag);
            case 'l' -> pad(hour12, 2, ' ', flag);
            case 'M' -> pad(time.getMinute(), 2, '0', flag);
            case 'S' -> pad(time.getSecond(), 2, '0', flag);
            case 'f' -> pad(time.getNano() / 1000, 6, '0', ' ');
            case 'j' -> pad(time.getDayOfYear(), 3, '0', flag);
            case 'u' -> pad(weekday, 1, '0', flag);
            case 'w' -> pad(weekday % 7, 1, '0', flag);
            case 'U' -> pad((time.getDayOfYear() + 6 - weekday % 7) / 7, 2, '0', flag);
            case 'W' -> pad((time.getDayOfYear() + 6 - (weekday + 6) % 7) / 7, 2, '0', flag);
            case 'V' -> pad(time.get(IsoFields.WEEK_OF_WEEK_BASED_YEAR), 2, '0', flag);
            case 'G' -> pad(time.get(IsoFields.WEEK_BASED_YEAR), 4, '0', flag);
            case 'g' -> pad(time.get(IsoFields.WEEK_BASED_YEAR) % 100, 2, '0', flag);
            default -> null;
        };
    }

    private static String pad(int number, int width, char fill, char flag) {
        char with = flag == '_' ? ' ' : flag == '0' ? '0' : fill;
        String digits = Integer.toString(number);
        return flag == '-' ? digits : String.valueOf(with).repeat(Math.max(0, width - digits.length())) + digits;
    }
}

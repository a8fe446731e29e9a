package dev.idempotency.benchmarks;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import org.junit.jupiter.api.Test;

final class SpreadTest {
    @Test
    void median_ofAnOddNumber_isTheOneInTheMiddle() {
        assertThat(Spread.of(5, 1, 3)).isEqualTo(new Spread(2, 3, 4, 3));
    }

    @Test
    void median_ofAnEvenNumber_liesHalfWay() {
        assertThat(Spread.of(4, 1, 3, 2).median()).isEqualTo(2.5);
    }

    @Test
    void quartiles_ofFigures_areNotMovedByOneThatIsFarOff() {
        Spread spread = Spread.of(1, 1, 1, 1, 1, 1, 1, 1, 1000);

        assertThat(spread.p25()).isEqualTo(1);
        assertThat(spread.median()).isEqualTo(1);
        assertThat(spread.p75()).isEqualTo(1);
    }

    @Test
    void everything_ofOneFigure_isThatFigure() {
        assertThat(Spread.of(7)).isEqualTo(new Spread(7, 7, 7, 1));
    }

    @Test
    void spread_ofNothingOrOfNoNumber_isRefused() {
        assertThatIllegalArgumentException().isThrownBy(Spread::of);
        assertThatIllegalArgumentException().isThrownBy(() -> Spread.of(1, Double.NaN));
    }

    @Test
    void figures_inText_haveThreeDigitsThatCount() {
        assertThat(Spread.digits(0)).isEqualTo("0.00");
        assertThat(Spread.digits(0.0123)).isEqualTo("0.012");
        assertThat(Spread.digits(0.987)).isEqualTo("0.99");
        assertThat(Spread.digits(12.34)).isEqualTo("12.3");
        assertThat(Spread.digits(12345)).isEqualTo("12345");
    }
}

import pytest

from model import SettingError, TrainingConfig, setting_names, with_settings


def test_settings_reach_every_level() -> None:
    config = with_settings(
        TrainingConfig(),
        [
            "seed=0",
            "held_out_share=0.2",
            "language_model.rate=cosine",
            "language_model.early_stopping = off",
            "classes.attention=True",
            "classes.focus=2",
            "classes.hidden=32",
        ],
    )
    assert config.held_out_share == 0.2
    assert config.language_model.rate == "cosine"
    assert not config.language_model.early_stopping
    assert config.classes.attention
    assert (config.classes.focus, config.classes.hidden) == (2.0, 32)
    assert config.classes.beta == TrainingConfig().classes.beta


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ("classes.attention", "write NAME=VALUE"),
        ("classes.atention=off", "there is none; nearest: classes.attention"),
        ("classes=3", "there is none"),
        ("classes.attention=maybe", "'maybe' is neither true nor false"),
        ("language_model.rate=fast", "'fast' is none of plateau, cosine, constant"),
        ("classes.hidden=0", "'0' is not a whole number from 1 to"),
        ("classes.hidden=1.5", "'1.5' is not a whole number"),
        ("classes.gamma=nan", "'nan' is not a number from 0 to"),
        ("classes.gamma=-1", "'-1' is not a number from 0 to"),
        ("language_model.learning_rate=1e38", "is not a number"),
        ("language_model.dropout=1.5", "'1.5' is not a number from 0 to 1"),
        ("miner.depth=2", "is not a whole number from 3 to"),
        ("classes.hidden=62", "'62' is no multiple of 4"),
        ("precision=int4", "has an option of its own"),
    ],
)
def test_settings_that_cannot_be(setting: str, said: str) -> None:
    with pytest.raises(SettingError, match=said):
        with_settings(TrainingConfig(), [setting])


def test_all_settings_have_names() -> None:
    names = dict(setting_names(TrainingConfig()))
    assert names["classes.clustering"] == "auto"
    assert names["miner.max_templates"] == 10_000
    assert len(names) > 30

"""Attention, the Transformer, and the decoder with its cache."""

import jax
import numpy as np
import pytest

import weft as wf
from weft import nn
from weft.errors import ArgumentError, DTypeError, ShapeError
from weft.graph.lowering import lowering
from weft.nn import functional as F
from weft.nn.functional import attention as module

pytestmark = pytest.mark.filterwarnings("ignore:.* made .* programs:weft.RecompileWarning")


def normal(*shape, seed=0, dtype=np.float32):
    return np.random.default_rng(seed).normal(size=shape).astype(dtype)


def ours(q, k, v, **options):
    inputs = [wf.tensor(x, requires_grad=True) for x in (q, k, v)]
    y = F.scaled_dot_product_attention(*inputs, **options)
    return y.numpy(), [g.numpy() for g in wf.gradients((y * y).sum(), inputs)]


def test_scores_far_from_zero_overflow_nothing():
    q = k = np.full((1, 2, 4), 1e4, np.float32)
    np.testing.assert_array_equal(F.scaled_dot_product_attention(q, k, normal(1, 2, 3)).shape, (1, 2, 3))
    assert np.isfinite(ours(q, k, normal(1, 2, 3))[1][0]).all()


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_half_precision_is_computed_in_float32(dtype):
    q, k, v = (normal(2, 8, 4, seed=s) for s in range(3))
    half = [wf.tensor(x).astype(getattr(wf, dtype)) for x in (q, k, v)]
    y = F.scaled_dot_product_attention(*half)
    exact = F.scaled_dot_product_attention(*(x.astype(wf.float32) for x in half))
    assert y.dtype is getattr(wf, dtype)
    np.testing.assert_array_equal(y.astype(wf.float32).numpy(), exact.astype(y.dtype).astype(wf.float32).numpy())


def test_dropout_of_attention_keeps_the_mean():
    wf.random.seed(0)
    q, v = wf.zeros((1, 2000, 4)), wf.ones((1, 100, 1))
    y = F.scaled_dot_product_attention(q, wf.zeros((1, 100, 4)), v, dropout_p=0.5).numpy()
    assert abs(y.mean() - 1) < 0.02
    assert 0.05 < y.std() < 0.15


@pytest.mark.parametrize("causal", [True, False])
def test_the_fused_kernel_is_asked_for_the_same_function(monkeypatch, causal):
    """cuDNN is not there: XLA's own form of the same call stands in for it, values and gradients."""
    real = jax.nn.dot_product_attention
    asked = []

    def stand_in(*args, implementation, **options):
        asked.append(implementation)
        return real(*args, **options)

    q, k, v = (wf.tensor(normal(1, 4 - 2 * (s > 0), 64, 8, seed=s)).astype(wf.bfloat16) for s in range(3))

    def value(q, k, v):
        y = module.attention_op(q, k, v, 0.5, causal=causal, masked=False, dropped=False, shares=False)
        return y.astype(wf.float32)

    inputs = [x.requires_grad_() for x in (q, k, v)]
    plain = [value(*inputs), *wf.gradients((value(*inputs) ** 2).sum(), inputs)]
    plain = [t.astype(wf.float32).numpy() for t in plain]
    monkeypatch.setattr(jax.nn, "dot_product_attention", stand_in)
    monkeypatch.setattr(module, "_has_cudnn", lambda: True)
    arrays = [x.numpy() for x in (q, k, v)]
    options = {"causal": causal, "masked": False, "dropped": False, "shares": False}
    with lowering.on("gpu"):
        y = module.attention_op.lower(*arrays, np.float32(0.5), **options)
        back = module._attention_gradient_op.lower(
            *arrays, np.float32(0.5), 2 * y, wrt=(True, True, True, False), given=(True,), params=tuple(options.items())
        )
    assert asked == ["cudnn", "cudnn"]
    for a, b in zip((y, *back), plain, strict=True):
        np.testing.assert_allclose(np.asarray(a, np.float32), b, rtol=0.05, atol=0.05)


# ── layers ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_causality_needs_no_mask_and_is_the_same_as_one():
    layer = nn.TransformerEncoderLayer(8, 2, 16, 0.0, batch_first=True)
    x = wf.tensor(normal(2, 5, 8))
    masked = layer(x, nn.Transformer.generate_square_subsequent_mask(5))
    np.testing.assert_allclose(layer(x, is_causal=True).numpy(), masked.numpy(), rtol=1e-5, atol=1e-6)


def test_positions_turn_products_into_functions_of_the_distance():
    q, k = wf.tensor(normal(1, 8)), wf.tensor(normal(1, 8, seed=1))

    def product(i, j):
        return float((F.rotary(q, wf.tensor([i])) * F.rotary(k, wf.tensor([j]))).sum())

    assert product(3, 1) == pytest.approx(product(12, 10), rel=1e-4)
    assert product(3, 1) != pytest.approx(product(3, 2), rel=1e-2)


def test_sinusoids_are_those_of_the_paper():
    table = F.sinusoidal_positions(wf.arange(3), 5).numpy()
    expected = [
        [f(p / 10000 ** (2 * (i // 2) / 6)) for i, f in enumerate([np.sin, np.cos] * 2 + [np.sin])] for p in range(3)
    ]
    np.testing.assert_allclose(table, expected, rtol=1e-5, atol=1e-6)


# ── the decoder ─────────────────────────────────────────────────────────────────────────────────────────────


def test_decoding_step_by_step_is_the_full_pass_and_one_program():
    model = nn.CausalDecoder(11, 16, num_heads=4, num_layers=2, kv_heads=2, hidden=24)
    tokens = wf.tensor(np.random.default_rng(0).integers(0, 11, (2, 7)))
    full = model(tokens).numpy()
    cache = model.cache(2, 7)
    step = wf.compile(lambda t: model(t, cache))
    first = [step(tokens[:, :1]).numpy(), step(tokens[:, 1:2]).numpy()]
    columns = [wf.tensor(tokens.numpy()[:, k : k + 1]) for k in range(2, 7)]
    before = wf.explain().count
    rest = [step(column).numpy() for column in columns]
    assert wf.explain().count == before
    np.testing.assert_allclose(np.concatenate(first + rest, axis=1), full, rtol=1e-4, atol=1e-5)


def test_a_prompt_fills_the_cache_at_once():
    block = nn.CausalDecoderBlock(8, 2, kv_heads=1)
    x = wf.tensor(normal(2, 6, 8))
    cache = block.cache(2, 6)
    parts = [block(x[:, :4], cache), block(x[:, 4:], cache)]
    np.testing.assert_allclose(wf.concat(parts, axis=1).numpy(), block(x).numpy(), rtol=1e-4, atol=1e-5)
    wf.realize(cache.position)
    with pytest.raises(ShapeError, match="cache of length 6"):
        block(x[:, :1], cache)


def test_what_no_longer_fits_in_the_cache_is_not_a_number():
    block = nn.CausalDecoderBlock(8, 2)
    cache, x = block.cache(1, 1), wf.zeros((1, 1, 8))
    step = wf.compile(lambda x: block(x, cache))
    assert np.isfinite(step(x).numpy()).all()
    assert np.isnan(step(x).numpy()).all()


def test_a_cache_for_something_else_is_refused():
    model, tokens = nn.CausalDecoder(11, 8, 4, 2), wf.tensor([[1], [2]])
    for cache in (
        model.cache(1, 4),
        model.cache(3, 4),
        nn.CausalDecoder(11, 16, 4, 2).cache(2, 4),
        nn.CausalDecoder(11, 8, 4, 2, kv_heads=1).cache(2, 4),
    ):
        with pytest.raises(ShapeError, match=r"(?s)keys of shape \(2, 4, 1, 2\) for a cache of .*block\.cache\(2, 4\)"):
            model(tokens, cache)
    for wrong in (nn.CausalDecoder(11, 8, 4, 1).cache(2, 4), 3):
        with pytest.raises(ArgumentError, match="for 2 blocks"):
            model(tokens, wrong)


def test_generation_continues_with_the_likeliest_tokens():
    model = nn.CausalDecoder(11, 8, num_heads=2, num_layers=1)
    begun = [[1, 2], [3, 4]]
    made = model.generate(begun, 3).numpy()
    for end in range(2, 5):
        logits = model(wf.tensor(made[:, :end])).numpy()
        np.testing.assert_array_equal(made[:, end], logits[:, -1].argmax(axis=-1))
    assert model.training
    wf.random.seed(0)
    drawn = model.generate(begun, 3, temperature=50.0).numpy()
    assert drawn.shape == (2, 5)
    assert ((drawn >= 0) & (drawn < 11)).all()


def test_generation_in_every_type():
    model = nn.CausalDecoder(5, 4, num_heads=1, num_layers=1).double()
    assert model.generate([[1]], 2).shape == (1, 3)
    with pytest.raises(DTypeError, match=r"a cache of float32"):
        model(wf.tensor([[1]]), model.cache(1, 1, wf.float32))


Z = wf.zeros


@pytest.mark.parametrize(
    ("call", "error", "says"),
    [
        (lambda: F.scaled_dot_product_attention(Z((2, 3, 4)), Z((2, 3, 5)), Z((2, 3, 4))), ShapeError, "4 features"),
        (lambda: F.scaled_dot_product_attention(Z((2, 3, 4)), Z((2, 3, 4)), Z((2, 2, 4))), ShapeError, "3 keys and 2"),
        (lambda: F.scaled_dot_product_attention(Z((3, 2, 4)), Z((2, 2, 4)), Z((2, 2, 4))), ShapeError, "3 heads of"),
        (
            lambda: F.scaled_dot_product_attention(Z((4, 2, 4)), Z((2, 2, 4)), Z((2, 2, 4)), enable_gqa=False),
            ShapeError,
            "enable_gqa=False",
        ),
        (
            lambda: F.scaled_dot_product_attention(Z((2, 3, 4)), Z((2, 3, 4)), Z((2, 3, 4)), Z((2, 3))),
            ShapeError,
            r"a mask of shape \(2, 3\) for scores of shape \(2, 3, 3\)",
        ),
        (
            lambda: F.scaled_dot_product_attention(Z((3, 4)), Z((3, 4)), Z((3, 4)), wf.tensor([0, 1, 1])),
            DTypeError,
            "int64",
        ),
        (lambda: F.scaled_dot_product_attention(Z((3,)), Z((3, 4)), Z((3, 4))), ShapeError, "two axes"),
        (lambda: F.scaled_dot_product_attention(Z((3, 4)), Z((3, 4)), Z((3, 4)), dropout_p=2.0), ArgumentError, "2.0"),
        (lambda: nn.MultiheadAttention(10, 3), ArgumentError, "embed_dim=10 with 3 heads"),
        (lambda: nn.MultiheadAttention(4, 2)(Z((3, 2, 5)), Z((3, 2, 4)), Z((3, 2, 4))), ShapeError, "a query of"),
        (lambda: nn.MultiheadAttention(4, 2)(Z((3, 2, 4)), Z((3, 3, 4)), Z((3, 3, 4))), ShapeError, "batches"),
        (
            lambda: nn.MultiheadAttention(4, 2)(*[Z((3, 2, 4))] * 3, attn_mask=wf.ones((2, 3)) > 0),
            ShapeError,
            r"\(3, 3\) or \(4, 3, 3\)",
        ),
        (
            lambda: nn.MultiheadAttention(4, 2)(*[Z((3, 2, 4))] * 3, key_padding_mask=wf.ones((3, 2)) > 0),
            ShapeError,
            r"\(2, 3\)",
        ),
        (lambda: nn.TransformerEncoderLayer(4, 2, activation="rellu"), ArgumentError, "rellu"),
        (lambda: nn.TransformerEncoderLayer(4, 2)(Z((3, 2, 5))), ShapeError, "d_model=4"),
        (lambda: nn.CausalDecoderBlock(12, 4), ArgumentError, "even"),
        (lambda: nn.CausalDecoder(7, 4, 2, 1).generate([[0.5]], 1), DTypeError, "whole numbers"),
        (lambda: nn.CausalDecoder(7, 4, 2, 1).generate([[1]], 1, float("nan")), ArgumentError, "nan"),
        (lambda: F.rotary(Z((3, 5))), ShapeError, "even"),
        (lambda: nn.RotaryEmbedding(5), ArgumentError, "pairs"),
    ],
)
def test_what_cannot_be_is_a_lesson(call, error, says):
    with pytest.raises(error, match=f"(?s){says}"):
        call()

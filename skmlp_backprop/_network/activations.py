"""Activation functions, one class each, and the table of their names.

An activation f works in place on blocks of pre-activations z. The derivative is
computed from f(z), or from z if ``keeps_input``. ``multiply_derivative`` may overwrite
that array, so no further buffer is needed.

To add an activation, write its class and decorate it with its name. Without a name an
instance of it can be an estimator's `activation`.
"""

import math

import numpy as np
from scipy.special import ndtr

from .value import Value

ACTIVATIONS = {}


def _register(name):
    """Class decorator: make an activation known by `name`."""

    def decorator(cls):
        cls.name = name
        ACTIVATIONS[name] = cls()
        return cls

    return decorator


class Activation(Value):
    """Base class of the activation functions.

    Attributes
    ----------
    name : str
        Name of the activation; for your own class, its module and its name.

    keeps_input : bool
        Whether :meth:`multiply_derivative` takes z (True) or f(z) (False). If False,
        ``out`` may be ``z`` in :meth:`apply`.

    has_kink : bool
        Whether f' or f'' jumps at 0, where finite differences fail. If True, f(z) must
        be positive exactly for positive z.
    """

    name = "Activation"
    keeps_input = False
    has_kink = False

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        # The dot distinguishes it from the names in the table.
        cls.name = f"{cls.__module__}.{cls.__qualname__}"

    def apply(self, z, out):
        """Write f(z) to `out`.

        Parameters
        ----------
        z : ndarray of floats
            Pre-activations, of any shape.

        out : ndarray of the shape and dtype of `z`
            Receives the result.
        """
        raise NotImplementedError(
            f"{type(self).__name__} must define `apply` and `multiply_derivative`."
        )

    def multiply_derivative(self, kept, delta):
        """Multiply `delta` by f'(z), in place.

        Parameters
        ----------
        kept : ndarray of floats
            f(z), or z if `keeps_input`. Its content is lost.

        delta : ndarray of the shape and dtype of `kept`
            The gradient with respect to f(z); becomes the gradient with respect to z.
        """
        raise NotImplementedError(
            f"{type(self).__name__} must define `apply` and `multiply_derivative`."
        )


@_register("identity")
class Identity(Activation):
    """f(z) = z."""

    def apply(self, z, out):
        if out is not z:
            np.copyto(out, z)

    def multiply_derivative(self, kept, delta):
        pass


@_register("logistic")
class Logistic(Activation):
    """f(z) = 1 / (1 + exp(-z)), the sigmoid.

    Computed as (1 + tanh(z / 2)) / 2, which cannot overflow and costs less than
    scipy.special.expit, as NumPy's tanh is vectorised.
    """

    def apply(self, z, out):
        np.multiply(z, 0.5, out=out)
        np.tanh(out, out=out)
        out *= 0.5
        out += 0.5

    def multiply_derivative(self, kept, delta):
        delta *= kept
        np.subtract(1, kept, out=kept)
        delta *= kept


@_register("tanh")
class Tanh(Activation):
    """f(z) = tanh(z)."""

    def apply(self, z, out):
        np.tanh(z, out=out)

    def multiply_derivative(self, kept, delta):
        np.multiply(kept, kept, out=kept)
        np.subtract(1, kept, out=kept)
        delta *= kept


@_register("relu")
class Relu(Activation):
    """f(z) = max(0, z), with derivative 0 at 0."""

    has_kink = True

    def apply(self, z, out):
        # NumPy's maximum of two arrays takes half the time of the maximum of an array
        # and a number (the benchmark `minibatch`), and zeros of small arrays half the
        # time of zeros_like. In a stack, the zeros of one network serve all.
        is_stack = z.ndim == 3 and len(z) > 1
        zeros = np.zeros(z.shape[1:] if is_stack else z.shape, z.dtype)
        np.maximum(z, zeros, out=out)

    def multiply_derivative(self, kept, delta):
        np.greater(kept, 0, out=kept)
        delta *= kept


@_register("leaky_relu")
class LeakyRelu(Activation):
    """f(z) = z above 0, z / 100 below.

    Maas, A. L., Hannun, A. Y. and Ng, A. Y. (2013). "Rectifier nonlinearities
    improve neural network acoustic models." ICML workshop.
    """

    has_kink = True

    slope = 0.01

    def apply(self, z, out):
        np.maximum(z, self.slope * z, out=out)

    def multiply_derivative(self, kept, delta):
        np.greater(kept, 0, out=kept)
        kept *= 1 - self.slope
        kept += self.slope
        delta *= kept


@_register("elu")
class Elu(Activation):
    """f(z) = z above 0, exp(z) - 1 below.

    Clevert, D., Unterthiner, T. and Hochreiter, S. (2016). "Fast and accurate deep
    network learning by exponential linear units." ICLR.
    """

    has_kink = True

    def apply(self, z, out):
        below = np.minimum(z, 0)
        np.expm1(below, out=below)
        np.maximum(z, 0, out=out)
        out += below

    def multiply_derivative(self, kept, delta):
        # f'(z) = exp(z) = f(z) + 1 below 0.
        np.minimum(kept, 0, out=kept)
        kept += 1
        delta *= kept


@_register("gelu")
class Gelu(Activation):
    """f(z) = z Phi(z), with Phi the standard normal distribution function.

    Hendrycks, D. and Gimpel, K. (2016). "Gaussian error linear units."
    arXiv:1606.08415. The exact form, not its approximation by tanh.
    """

    keeps_input = True

    def apply(self, z, out):
        ndtr(z, out=out)
        out *= z

    def multiply_derivative(self, kept, delta):
        # f'(z) = Phi(z) + z phi(z).
        density = np.exp(-0.5 * kept * kept)
        density *= 1 / math.sqrt(2 * math.pi)
        density *= kept
        ndtr(kept, out=kept)
        kept += density
        delta *= kept


@_register("silu")
class Silu(Activation):
    """f(z) = z s(z), with s the sigmoid; also known as swish.

    Elfwing, S., Uchibe, E. and Doya, K. (2018). "Sigmoid-weighted linear units for
    neural network function approximation in reinforcement learning." Neural
    Networks 107.
    """

    keeps_input = True

    def apply(self, z, out):
        ACTIVATIONS["logistic"].apply(z, out)
        out *= z

    def multiply_derivative(self, kept, delta):
        # f'(z) = s(z) (1 + z (1 - s(z))).
        sigmoid = np.empty_like(kept)
        ACTIVATIONS["logistic"].apply(kept, sigmoid)
        kept *= 1 - sigmoid
        kept += 1
        kept *= sigmoid
        delta *= kept

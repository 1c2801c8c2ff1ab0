"""What torch, transformers, Pydantic, msgspec, safetensors and the system say where a person may read it.

Nothing here is ever sent: programs get the words of whoever said them. By these messages `app.recognition` finds such
words again, so that a page can tell them in the reader's language.
"""

from app.translation import N_

NAMES = (
    N_("%(class_name)s has no attribute `%(name)s`"),
    N_("`%(name)s` is not an nn.Module"),
    N_("`%(name)s` is not an nn.Parameter"),
    N_("`%(name)s` is not a buffer"),
    N_("attribute '%(name)s' already exists"),
    N_('module name can\'t contain ".", got: %(name)s'),
    N_('module name can\'t be empty string ""'),
    N_('parameter name can\'t contain "."'),
    N_('parameter name can\'t be empty string ""'),
    N_('buffer name can\'t contain "."'),
    N_('buffer name can\'t be empty string ""'),
    N_("'%(class_name)s' object has no attribute '%(name)s'"),
)

CALLS = (
    N_("%(function)s() got an unexpected keyword argument '%(name)s'"),
    N_("%(function)s() missing %(num)s required positional argument: %(names)s"),
    N_("%(function)s() missing %(num)s required positional arguments: %(names)s"),
    N_("%(function)s() missing %(num)s required keyword-only argument: %(names)s"),
    N_("%(function)s() missing %(num)s required keyword-only arguments: %(names)s"),
    N_("%(function)s() takes %(most)s positional arguments but %(num)s were given"),
    N_("%(function)s() got multiple values for argument '%(name)s'"),
    N_('Module [%(class_name)s] is missing the required "forward" function'),
    N_("unsupported operand type(s) for %(operator)s: %(types)s"),
    N_("'%(class_name)s' object is not callable"),
    N_("'%(class_name)s' object is not iterable"),
    N_("'%(class_name)s' object is not subscriptable"),
)

CONSTRUCTORS = (
    N_("embed_dim must be divisible by num_heads"),
    N_("`embed_dim` must be divisible by num_heads (got `embed_dim`: %(embed_dim)s and `num_heads`: %(num_heads)s)"),
    N_("in_channels must be divisible by groups"),
    N_("out_channels must be divisible by groups"),
    N_("groups must be a positive integer"),
    N_("num_channels (%(num_channels)s) must be divisible by num_groups (%(num_groups)s)"),
    N_("dropout probability has to be between 0 and 1, but got %(value)s"),
    N_("Padding_idx must be within num_embeddings"),
    N_("padding_mode must be one of %(choices)s, but got padding_mode='%(value)s'"),
    N_("Trying to create tensor with negative dimension %(size)s: %(shape)s"),
    N_("The hidden size (%(size)s) is not a multiple of the number of attention heads (%(num)s)"),
    N_("Fan in and fan out can not be computed for tensor with fewer than 2 dimensions"),
    N_("Only tensors with 2 or more dimensions are supported"),
    N_("Only tensors with 2 dimensions are supported"),
    N_("Only tensors with 3, 4, or 5 dimensions are supported"),
    N_("Unsupported nonlinearity %(name)s"),
    N_("Mode %(mode)s not supported, please use one of %(choices)s"),
    N_("normal expects std >= 0.0, but found std %(std)s"),
    N_("uniform_ expects to return a [from, to) range, but found from=%(low)s > to=%(high)s"),
)

TENSORS = (
    N_("mat1 and mat2 shapes cannot be multiplied (%(one)s and %(other)s)"),
    N_("mat1 and mat2 must have the same dtype, but got %(one)s and %(other)s"),
    N_("a and b must have same reduction dim, but got %(one)s X %(other)s"),
    N_("size mismatch, got %(sizes)s"),
    N_("The size of tensor a (%(one)s) must match the size of tensor b (%(other)s) at non-singleton dimension %(dim)s"),
    N_(
        "Expected %(expected)s (unbatched) or %(batched)s (batched) input to %(function)s, but got input of size: "
        "%(got)s"
    ),
    N_(
        "Given groups=%(groups)s, weight of size %(weight)s, expected input%(input)s to have %(expected)s channels, "
        "but got %(got)s channels instead"
    ),
    N_("Given normalized_shape=%(shape)s, expected input with shape %(expected)s, but got input of size%(got)s"),
    N_("Expected tensor for argument %(argument)s to have one of the following scalar types: %(types)s; %(got)s"),
    N_("expected scalar type %(expected)s but found %(got)s"),
    N_("expected sequence of length %(expected)s at dim %(dim)s (got %(got)s)"),
    N_("expected %(expected)sD or %(batched)sD input (got %(got)sD input)"),
    N_("too many dimensions '%(class_name)s'"),
    N_("not a sequence"),
    N_("shape '%(shape)s' is invalid for input of size %(size)s"),
    N_("Dimension out of range (expected to be in range of [%(low)s, %(high)s], but got %(got)s)"),
    N_("index out of range in self"),
    N_("value cannot be converted to type %(dtype)s without overflow"),
    N_("Overflow when unpacking long long"),
    N_("only Tensors of floating point and complex dtype can require gradients"),
    N_("Tensor.item() cannot be called on meta tensors"),
    N_("Cannot copy out of meta tensor; no data!"),
    N_("element %(place)s of tensors does not require grad and does not have a grad_fn"),
    N_(
        "enable_nested_tensor is True, but self.use_nested_tensor is False because %(reason)s"
        "(use batch_first for better inference performance)"
    ),
)

OPTIMIZERS = (
    N_("optimizer got an empty parameter list"),
    N_("Invalid learning rate: %(value)s"),
    N_("Invalid %(name)s value: %(value)s"),
    N_("Invalid %(name)s: %(value)s"),
    N_("Invalid beta parameter at index %(index)s: %(value)s"),
    N_("Nesterov momentum requires a momentum and zero dampening"),
    N_("Factor should be < 1.0."),
    N_("mode %(mode)s is unknown!"),
    N_("threshold mode %(mode)s is unknown!"),
    N_("mode is invalid and scale_fn is None"),
    N_("Expected positive integer %(name)s, but got %(value)s"),
    N_("Expected integer %(name)s >= %(least)s, but got %(value)s"),
    N_("Expected float between 0 and 1 %(name)s, but got %(value)s"),
    N_("Tried to step %(step)s times. The specified number of total steps is %(total)s"),
    N_("optimizer must support momentum or beta1 with `cycle_momentum` option enabled"),
    N_("anneal_strategy must be one of 'cos' or 'linear', instead got %(value)s"),
)

REQUESTS = (
    N_("Field required"),
    N_("Extra inputs are not permitted"),
    N_("Input should be greater than %(limit)s"),
    N_("Input should be greater than or equal to %(limit)s"),
    N_("Input should be less than %(limit)s"),
    N_("Input should be less than or equal to %(limit)s"),
    N_("Input should be %(choices)s"),
    N_("Input should be a finite number"),
    N_("Input should be a valid number"),
    N_("Input should be a valid number, unable to parse string as a number"),
    N_("Input should be a valid integer"),
    N_("Input should be a valid integer, unable to parse string as an integer"),
    N_("Input should be a valid integer, got a number with a fractional part"),
    N_("Unable to parse input string as an integer, exceeded maximum size"),
    N_("Input should be a valid boolean"),
    N_("Input should be a valid boolean, unable to interpret input"),
    N_("Input should be a valid string"),
    N_("Input should be a valid string, unable to parse raw data as a unicode string"),
    N_("Input should be a valid list"),
    N_("Input should be a valid dictionary"),
    N_("Input should be a valid dictionary or object to extract fields from"),
    N_("Input should be None"),
    N_("String should have at least %(num)s character"),
    N_("String should have at least %(num)s characters"),
    N_("String should have at most %(num)s character"),
    N_("String should have at most %(num)s characters"),
    N_("String should match pattern '%(pattern)s'"),
    N_("List should have at least %(least)s item after validation, not %(num)s"),
    N_("List should have at most %(most)s items after validation, not %(num)s"),
    N_("Unable to extract tag using discriminator %(name)s"),
    N_("Input tag '%(tag)s' found using %(name)s does not match any of the expected tags: %(tags)s"),
    N_("Value error, Expected UploadFile, received: %(type)s"),
)

DOCUMENTS = (
    N_("JSON is malformed: %(why)s (byte %(at)s)"),
    N_("Input data was truncated"),
    N_("invalid character"),
    N_("expected ':'"),
    N_("expected ',' or ']'"),
    N_("expected ',' or '}'"),
    N_("expected '\"'"),
    N_("trailing comma in array"),
    N_("trailing comma in object"),
    N_("object keys must be strings"),
    N_("invalid number"),
    N_("number out of range"),
    N_("invalid escape character in string"),
    N_("invalid surrogate pair in string"),
    N_("unexpected end of escaped utf-16 surrogate pair"),
    N_("Expected `%(expected)s`, got `%(got)s`"),
    N_("Expected `%(expected)s`, got `%(got)s` - at `%(place)s`"),
    N_("Object missing required field `%(name)s`"),
    N_("Object missing required field `%(name)s` - at `%(place)s`"),
    N_("Expected `%(expected)s` >= %(least)s"),
    N_("Expected `%(expected)s` >= %(least)s - at `%(place)s`"),
    N_("Object contains unknown field `%(name)s`"),
    N_("Object contains unknown field `%(name)s` - at `%(place)s`"),
    N_("Error while deserializing header: %(why)s"),
    N_("header too small"),
    N_("header too large"),
    N_("invalid header length"),
    N_("incomplete metadata, file not fully covered"),
    N_("invalid UTF-8 in header: %(why)s"),
    N_("invalid JSON in header: %(why)s"),
)

SYSTEM = (
    N_("No such file or directory"),
    N_("Permission denied"),
    N_("Is a directory"),
    N_("Not a directory"),
    N_("File name too long"),
    N_("Input/output error"),
    N_("No space left on device"),
    N_("Too many levels of symbolic links"),
    N_("Too many open files"),
    N_("Cannot allocate memory"),
)
